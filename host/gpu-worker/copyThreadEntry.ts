/** A thread that copies runs between blocks of shared memory; see `copyThreads.ts`. It never returns to its event loop. */
import { type MessagePort, parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads';
import { noWords } from '../../engine/kv/tiers/copyRuns.ts';
import { collectGarbage } from './collectGarbage.ts';
import type { CopyThreadData, CopyThreadMessage } from './copyThreads.ts';
import { postedWord, serve, takeTicket, turnWord } from './copyTickets.ts';

const port = parentPort as MessagePort;
const data = workerData as CopyThreadData;
const control = new Int32Array(data.control);
const blocks: Int32Array[] = [];
let received = data.posted;
let hasForgotten = false;

/** Messages are there before what needs them is published. */
function receive(): void {
  while (received !== Atomics.load(control, postedWord)) {
    const { number, buffer } = (receiveMessageOnPort(port) as { message: CopyThreadMessage }).message;
    while (blocks.length < number) blocks.push(noWords);
    blocks[number] = buffer ? new Int32Array(buffer) : noWords;
    hasForgotten ||= buffer === null;
    received = (received + 1) | 0;
  }
}

for (;;) {
  const turn = Atomics.load(control, turnWord);
  for (let ticket = takeTicket(control); ticket; ticket = takeTicket(control)) {
    receive();
    serve(control, ticket, blocks);
  }
  receive();
  if (hasForgotten) collectGarbage();
  hasForgotten = false;
  Atomics.wait(control, turnWord, turn);
}
