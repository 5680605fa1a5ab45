/** Computes a truth bench in processes of its own, which share the documents among them. */
import { fork } from 'node:child_process';
import { cancelled, HostError, RelayedError } from '../errors.ts';
import { evalEntry } from '../locations.ts';
import { evalReply, type EvalRequest } from './evalProtocol.ts';

export interface RunEvalOptions {
  processes: number;
  signal: AbortSignal;
  onProgress(done: number, total: number): void;
  onNote(text: string): void;
}

export async function runEval(request: Omit<EvalRequest, 'shard'>, { processes, signal, onProgress, onNote }: RunEvalOptions): Promise<void> {
  const shares = new Map<number, { done: number; total: number }>();
  const onShare = (index: number, share: { done: number; total: number }): void => {
    shares.set(index, share);
    const all = [...shares.values()];
    onProgress(all.reduce((sum, { done }) => sum + done, 0), all.reduce((sum, { total }) => sum + total, 0));
  };
  const stopOthers = new AbortController();
  const either = AbortSignal.any([signal, stopOthers.signal]);
  const runs = Array.from({ length: processes }, (_, index) => runShard({ ...request, shard: { index, count: processes } }, { signal: either, onShare, onNote }));
  try {
    await Promise.all(runs);
  } catch (error) {
    stopOthers.abort();
    await Promise.allSettled(runs);
    throw signal.aborted ? cancelled() : error;
  }
}

interface ShardHooks {
  signal: AbortSignal;
  onShare(index: number, share: { done: number; total: number }): void;
  onNote(text: string): void;
}

function runShard(request: EvalRequest, { signal, onShare, onNote }: ShardHooks): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = fork(evalEntry(), [], { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
    const stop = (): void => void child.kill('SIGTERM');
    signal.addEventListener('abort', stop, { once: true });
    child.on('message', (message) => {
      const reply = evalReply.parse(message);
      if (reply.kind === 'progress') onShare(reply.shard, reply);
      if (reply.kind === 'note') onNote(reply.text);
      if (reply.kind === 'failed') reject(new RelayedError(reply.failure));
      if (reply.kind === 'done') resolve();
    });
    child.once('error', reject);
    child.once('exit', (code, ended) => {
      signal.removeEventListener('abort', stop);
      reject(new HostError('worker-died', `The process that computes the truth bench ended unexpectedly (${ended ?? `status ${code}`}).`, 'Run the command again: it goes on after the finished cases.'));
    });
    child.send(request);
  });
}
