/**
 * What the thread that asks for copies and those that make them share: a ring of tickets, each of some runs of a copy.
 * Whoever has time takes the next one, so that nobody waits for a thread that is late.
 */
import { copyRuns } from '../../engine/kv/tiers/copyRuns.ts';

/** Tickets that may be under way; a power of two, because their numbers wrap. */
export const ticketRoom = 1024;
const ticketWords = 8;
const lineWords = 16;

/** Words of the control block, each in a line of memory of its own. */
const publishedWord = 0;
const takenWord = lineWords;
/** Messages that every thread has been sent. */
export const postedWord = 2 * lineWords;
/** Changes whenever there is something to do; threads sleep on it. */
export const turnWord = 3 * lineWords;
const firstTicketWord = 4 * lineWords;
export const controlBytes = 4 * (firstTicketWord + ticketRoom * ticketWords);

export interface Ticket {
  runs: number;
  firstRun: number;
  endRun: number;
  runWords: number;
  target: number;
  /** Where the copy's tickets are counted that are not done. */
  leftWord: number;
}

/** A number: tickets are numbered on and on, in 32 bits. */
export function nextTicket(control: Int32Array): number {
  return Atomics.load(control, publishedWord);
}

/** Where a copy counts its tickets: beside the first of them. */
export function leftWordOf(ticket: number): number {
  return wordOf(ticket) + 6;
}

/** Only the thread that asks publishes. */
export function publish(control: Int32Array, tickets: readonly Ticket[]): void {
  const first = nextTicket(control);
  for (const [i, { runs, firstRun, endRun, runWords, target, leftWord }] of tickets.entries()) control.set([runs, firstRun, endRun, runWords, target, leftWord], wordOf(first + i));
  Atomics.store(control, publishedWord, (first + tickets.length) | 0);
}

/** Nobody takes what was published so far. To be called when no other thread runs. */
export function withdrawAll(control: Int32Array): void {
  Atomics.store(control, takenWord, nextTicket(control));
}

/** The next ticket, if there is one, and it comes before `end`. */
export function takeTicket(control: Int32Array, end = nextTicket(control)): Ticket | null {
  for (;;) {
    const taken = Atomics.load(control, takenWord);
    if (((end - taken) | 0) <= 0) return null;
    if (Atomics.compareExchange(control, takenWord, taken, (taken + 1) | 0) !== taken) continue;
    const word = wordOf(taken);
    return { runs: control[word], firstRun: control[word + 1], endRun: control[word + 2], runWords: control[word + 3], target: control[word + 4], leftWord: control[word + 5] };
  }
}

/** Copies a ticket's runs; wakes whoever waits for the last one of a copy. */
export function serve(control: Int32Array, { runs, firstRun, endRun, runWords, target, leftWord }: Ticket, blocks: readonly Int32Array[]): void {
  copyRuns(blocks, blocks[runs], firstRun, endRun, runWords, blocks[target]);
  if (Atomics.sub(control, leftWord, 1) === 1) Atomics.notify(control, leftWord);
}

function wordOf(ticket: number): number {
  return firstTicketWord + ticketWords * (ticket & (ticketRoom - 1));
}
