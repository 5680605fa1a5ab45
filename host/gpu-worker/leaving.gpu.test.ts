/** A worker whose host is gone ends at once, whatever its driver's threads are doing (POSIX: by a signal of its own). */
import { fork } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { tinyModel } from '../../engine/testing/tinyModel.ts';
import { defaultKvSetting } from '../contract/policy.ts';
import { buildWorker } from '../testing/builtWorker.ts';
import { temporaryFolder } from '../testing/temporaryFolder.ts';
import type { WorkerReply, WorkerRequest } from './protocol.ts';

test('a host that dies while kernels are compiled leaves a worker that ends without a crash', async () => {
  const entry = buildWorker();
  const path = join(temporaryFolder(), 'model.gguf');
  writeFileSync(path, tinyModel({ architecture: 'llama', layers: 2 }));
  for (const delayMs of [20, 100, 200, 300, 400, 600]) {
    const worker = fork(entry, [], { env: { ...process.env, LONGLEAF_CACHE: temporaryFolder() }, serialization: 'advanced', stdio: ['ignore', 'ignore', 'ignore', 'ipc'] });
    await new Promise<void>((resolve) => worker.on('message', (reply: WorkerReply) => reply.kind === 'ready' && resolve()));
    const ended = new Promise<NodeJS.Signals | null>((resolve) => worker.once('exit', (_, signal) => resolve(signal)));
    worker.send({ kind: 'load', jobId: 'load', path, contextTokens: 256, kv: defaultKvSetting, boundsChecks: false } satisfies WorkerRequest);
    await pause(delayMs);
    worker.disconnect();
    // Its own doing: an ordinary exit would clean up under the driver's threads.
    expect(await ended).toBe('SIGKILL');
  }
});
