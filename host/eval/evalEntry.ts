/**
 * Entry of the process that computes a truth bench: takes one request over Node's IPC channel. The GPU's driver may
 * take it down; what it has written stays, and the same command goes on after it.
 */
import { toFailure } from '../errors.ts';
import { openAdapter } from '../gpu-worker/adapter.ts';
import { type EvalReply, evalRequest } from './evalProtocol.ts';
import { evaluate } from './evaluate.ts';

const abort = new AbortController();
process.on('disconnect', () => process.exit(0));
process.on('SIGINT', () => undefined);
process.on('SIGTERM', () => abort.abort());
process.once('message', (message) => void run(message));

async function run(message: unknown): Promise<void> {
  try {
    const request = evalRequest.parse(message);
    const device = await openAdapter({ boundsChecks: request.boundsChecks });
    if (request.shard.index === 0) reply({ kind: 'note', text: device.facts.name });
    await evaluate(device, request, {
      signal: abort.signal,
      onProgress: (done, total) => reply({ kind: 'progress', shard: request.shard.index, done, total }),
      onNote: (text) => request.shard.index === 0 && reply({ kind: 'note', text }),
    });
    reply({ kind: 'done' });
  } catch (error) {
    const failure = toFailure(error);
    if (failure.code === 'internal') process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`);
    reply({ kind: 'failed', failure });
  }
  // The last message leaves before the process does.
  setTimeout(() => process.exit(0), 100);
}

function reply(message: EvalReply): void {
  if (process.connected) process.send?.(message);
}
