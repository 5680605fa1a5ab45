/**
 * Entry of the GPU worker process: opens the adapter, then does jobs for the host over Node's IPC
 * channel until told to quit or the host is gone. GPU jobs run one after another; counting tokens
 * does not wait for them.
 */
import type { Failure } from '../contract/entities.ts';
import { toFailure } from '../errors.ts';
import { endProcess } from './endProcess.ts';
import { GpuWorker } from './gpuWorker.ts';
import { type WorkerReply, workerRequest } from './protocol.ts';

function send(reply: WorkerReply): void {
  if (process.connected) process.send?.(reply);
}

function failureOf(error: unknown): Failure {
  const failure = toFailure(error);
  if (failure.code === 'internal') process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`);
  return failure;
}

async function start(): Promise<void> {
  const worker = await GpuWorker.open(send, failureOf);
  process.on('message', (message) => {
    const request = workerRequest.safeParse(message);
    if (request.success) worker.take(request.data);
    else process.stderr.write(`unreadable request: ${request.error.message}\n`);
  });
  if (process.env['LONGLEAF_TEST_DEVICE_LOSS'] === '1') process.on('SIGUSR2', () => worker.loseDevice());
}

// The host's death ends the channel: nothing may outlive it.
process.on('disconnect', endProcess);
start().catch((error: unknown) => {
  send({ kind: 'failed', jobId: 'start', failure: failureOf(error) });
  // The message leaves before the process does.
  setTimeout(() => process.exit(1), 100);
});
