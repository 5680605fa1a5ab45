/** A thread that reads runs of blocks and checks them; see `blockThreads.ts`. */
import { readSync } from 'node:fs';
import { parentPort } from 'node:worker_threads';
import type { BlockRunReply, BlockRunRequest } from './blockThreads.ts';
import { badBlocks, blockBytes } from './blocks.ts';

parentPort?.on('message', ({ number, descriptor, ...run }: BlockRunRequest) => {
  const bytes = new Uint8Array((run.checksums.length / 4) * blockBytes);
  const right = readWhole(descriptor, bytes, run.firstBlock * blockBytes) && badBlocks(bytes, run).length === 0;
  parentPort?.postMessage({ number, bytes: right ? bytes : null } satisfies BlockRunReply, right ? [bytes.buffer] : []);
});

/** Whether all of `target` was there. What went wrong is told where it is read again. */
function readWhole(descriptor: number, target: Uint8Array, offsetBytes: number): boolean {
  try {
    for (let done = 0; done < target.length; ) {
      const count = readSync(descriptor, target, done, target.length - done, offsetBytes + done);
      if (count === 0) return false;
      done += count;
    }
    return true;
  } catch {
    return false;
  }
}
