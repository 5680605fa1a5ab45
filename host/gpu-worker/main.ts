/**
 * Entry of the GPU worker process: opens the adapter, then does jobs for the host over Node's IPC
 * channel until told to quit or the host is gone. GPU jobs run one after another; counting tokens
 * does not wait for them.
 */
import { EngineError } from '../../engine/errors.ts';
import type { Failure } from '../contract/entities.ts';
import { GpuWorker } from './gpuWorker.ts';
import { type WorkerReply, workerRequest } from './protocol.ts';

function send(reply: WorkerReply): void {
  if (process.connected) process.send?.(reply);
}

export function failureOf(error: unknown): Failure {
  if (error instanceof EngineError) return { code: error.code, message: error.message, remedy: error.remedy };
  const message = error instanceof Error ? error.message : String(error);
  process.stderr.write(`${error instanceof Error ? error.stack : message}\n`);
  return { code: 'internal', message: `The engine failed: ${message}`, remedy: 'Try again; if it happens again, restart Longleaf and report this message.' };
}

async function start(): Promise<void> {
  const worker = await GpuWorker.open(send, failureOf);
  process.on('message', (message) => {
    const request = workerRequest.safeParse(message);
    if (request.success) worker.take(request.data);
    else process.stderr.write(`unreadable request: ${request.error.message}\n`);
  });
}

// The host's death ends the channel: nothing may outlive it.
process.on('disconnect', () => process.exit(0));
start().catch((error: unknown) => {
  send({ kind: 'failed', jobId: 'start', failure: failureOf(error) });
  // The message leaves before the process does.
  setTimeout(() => process.exit(1), 100);
});
