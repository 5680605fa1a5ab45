/** A thread that takes a ticket and dies with it. */
import { workerData } from 'node:worker_threads';
import type { CopyThreadData } from '../copyThreads.ts';
import { takeTicket, turnWord } from '../copyTickets.ts';

const control = new Int32Array((workerData as CopyThreadData).control);
while (!takeTicket(control)) Atomics.wait(control, turnWord, Atomics.load(control, turnWord), 1);
process.exit(1);
