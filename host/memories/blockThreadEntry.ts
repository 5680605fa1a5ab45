/** A thread that checks runs of blocks; see `blockThreads.ts`. */
import { readSync } from 'node:fs';
import { parentPort } from 'node:worker_threads';
import type { BlockRunReply, BlockRunRequest } from './blockThreads.ts';
import { badBlocks, blockBytes } from './blocks.ts';

/** As long as the longest run so far. */
let buffer = new Uint8Array(0);

parentPort?.on('message', ({ number, descriptor, ...run }: BlockRunRequest) => {
  const sizeBytes = (run.checksums.length / 4) * blockBytes;
  if (buffer.length < sizeBytes) buffer = new Uint8Array(sizeBytes);
  const bytes = buffer.subarray(0, sizeBytes);
  const right = readWhole(descriptor, bytes, run.firstBlock * blockBytes) && badBlocks(bytes, run).length === 0;
  parentPort?.postMessage({ number, right } satisfies BlockRunReply);
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
