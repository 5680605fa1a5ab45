/** A thread that reads blocks and checks them; see `blockThreads.ts`. */
import { parentPort } from 'node:worker_threads';
import type { BlockRunReply, BlockRunRequest } from './blockThreads.ts';
import { badBlocks, blockBytes } from './blocks.ts';
import { performReads, readWhole, type SharedReadsRequest } from './sharedReads.ts';

/** As long as the longest run so far. */
let buffer = new Uint8Array(0);

parentPort?.on('message', (request: BlockRunRequest | SharedReadsRequest) => {
  parentPort?.postMessage('numbers' in request ? performReads(request) : check(request));
});

function check({ number, descriptor, ...run }: BlockRunRequest): BlockRunReply {
  const sizeBytes = (run.checksums.length / 4) * blockBytes;
  if (buffer.length < sizeBytes) buffer = new Uint8Array(sizeBytes);
  const bytes = buffer.subarray(0, sizeBytes);
  return { number, right: readWhole(descriptor, bytes, run.firstBlock * blockBytes) && badBlocks(bytes, run).length === 0 };
}
