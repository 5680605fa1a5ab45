/**
 * Copies of short runs of shared memory on threads of this process: each run misses the caches, so one thread alone waits
 * for memory most of the time. The threads sleep on a word of shared memory, and the asking thread takes part once it
 * waits; what threads cannot do it does alone.
 */
import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { copyRuns, noWords } from '../../engine/kv/tiers/copyRuns.ts';
import type { RunCopy, SharedBlock, SharedCopies } from '../../engine/ports.ts';
import { collectGarbage } from './collectGarbage.ts';
import { controlBytes, leftWordOf, nextTicket, postedWord, publish, serve, takeTicket, type Ticket, ticketRoom, turnWord, withdrawAll } from './copyTickets.ts';

/** A block that threads are to know, or to forget. */
export interface CopyThreadMessage {
  number: number;
  buffer: SharedArrayBuffer | null;
}

export interface CopyThreadData {
  control: SharedArrayBuffer;
  /** Messages before the first one that it is sent. */
  posted: number;
}

interface Copying {
  copy: RunCopy;
  /** Its tickets: from this number on, before that one. */
  begin: number;
  end: number;
}

/** By then what the asking thread does alone, listing runs and taking what was brought, takes as long as the rest. */
const mostThreads = 12;
/** Of a ticket: about 10 µs. */
const fewestTicketRuns = 64;
const mostTickets = 128;
/** How long the asking thread sleeps for the last tickets before it looks after other things. */
const lastTicketsMs = 0.2;
/** Blocks that were released are given out again for so long: whole segments come and go while documents are read. */
const spareMs = 1000;

export class CopyThreads implements SharedCopies {
  readonly fewestRuns: number;
  readonly #threadCount: number;
  readonly #entry: URL;
  readonly #control = new Int32Array(new SharedArrayBuffer(controlBytes));
  /** By number. */
  readonly #blocks: Int32Array[] = [];
  readonly #idleNumbers: number[] = [];
  /** Blocks that were released, by their words, the last one last. */
  readonly #spare = new Map<number, number[]>();
  /** To be released when nothing is under way. */
  readonly #leaving: number[] = [];
  #spareTimer: NodeJS.Timeout | undefined;
  #threads: Worker[] = [];
  /** Resolves when no thread runs any more; null while there are some, or may be. */
  #ended: Promise<void> | null = null;
  /** The oldest first. */
  #underWay: Copying[] = [];

  /** Threads are started with the first copy, and keep no process from ending. */
  constructor({ threads = threadsFor(availableParallelism()), fewestRuns = 512, entry = copyThreadUrl() }: { threads?: number; fewestRuns?: number; entry?: URL } = {}) {
    this.#threadCount = threads;
    this.fewestRuns = fewestRuns;
    this.#entry = entry;
  }

  /** null on a machine where one thread does it as well. */
  static forThisMachine(): CopyThreads | null {
    return availableParallelism() > 2 ? new CopyThreads() : null;
  }

  allocate(sizeBytes: number): SharedBlock {
    const spare = this.#spare.get(sizeBytes / 4)?.pop();
    if (spare !== undefined) return { number: spare, buffer: this.#blocks[spare].buffer as SharedArrayBuffer };
    const buffer = new SharedArrayBuffer(sizeBytes);
    const number = this.#idleNumbers.pop() ?? this.#blocks.length;
    this.#blocks[number] = new Int32Array(buffer);
    this.#post([{ number, buffer }]);
    return { number, buffer };
  }

  release(block: number): void {
    this.#leaving.push(block);
    this.#settle();
  }

  begin(copy: RunCopy): () => Promise<void> {
    const { runs, count, runWords, target } = copy;
    if (!this.#blocks[target]?.length || !(3 * count <= this.#blocks[runs]?.length)) throw new RangeError(`${count} runs in block ${runs} cannot be copied to block ${target}`);
    this.#settle();
    const ticketRuns = Math.max(fewestTicketRuns, Math.ceil(count / mostTickets));
    const begin = nextTicket(this.#control);
    const tickets: Ticket[] = [];
    for (let firstRun = 0; firstRun < count; firstRun += ticketRuns) {
      tickets.push({ runs, firstRun, endRun: Math.min(firstRun + ticketRuns, count), runWords, target, leftWord: leftWordOf(begin) });
    }
    const oldest = this.#underWay[0]?.begin ?? begin;
    if (tickets.length === 0 || this.#threadCount === 0 || this.#ended || ((begin - oldest) | 0) + tickets.length > ticketRoom) {
      this.#copyAlone(copy);
      return () => Promise.resolve();
    }
    this.#startThreads();
    Atomics.store(this.#control, leftWordOf(begin), tickets.length);
    publish(this.#control, tickets);
    this.#wake(tickets.length);
    const copying = { copy, begin, end: (begin + tickets.length) | 0 };
    this.#underWay.push(copying);
    return () => this.#finish(copying);
  }

  /** What is under way is finished first. */
  async close(): Promise<void> {
    await this.#goOnAlone();
    this.#settle();
    this.#forgetSpare();
  }

  async #finish(copying: Copying): Promise<void> {
    const control = this.#control;
    for (let ticket = takeTicket(control, copying.end); ticket; ticket = takeTicket(control, copying.end)) serve(control, ticket, this.#blocks);
    while (this.#underWay.includes(copying)) {
      const left = this.#leftOf(copying);
      if (left > 0 && Atomics.wait(control, leftWordOf(copying.begin), left, lastTicketsMs) === 'timed-out') await aTurn();
      this.#settle();
    }
  }

  #leftOf({ begin }: Copying): number {
    return Atomics.load(this.#control, leftWordOf(begin));
  }

  /** Forgets what is done, and lets go of what was released meanwhile. */
  #settle(): void {
    this.#underWay = this.#underWay.filter((copying) => this.#leftOf(copying) > 0);
    if (this.#underWay.length > 0 || this.#leaving.length === 0) return;
    for (const block of this.#leaving.splice(0)) {
      const { length } = this.#blocks[block];
      const spare = this.#spare.get(length) ?? [];
      spare.push(block);
      this.#spare.set(length, spare);
    }
    clearTimeout(this.#spareTimer);
    this.#spareTimer = setTimeout(() => this.#forgetSpare(), spareMs);
    this.#spareTimer.unref();
  }

  #forgetSpare(): void {
    clearTimeout(this.#spareTimer);
    const numbers = [...this.#spare.values()].flat();
    this.#spare.clear();
    if (numbers.length === 0) return;
    for (const number of numbers) {
      this.#blocks[number] = noWords;
      this.#idleNumbers.push(number);
    }
    this.#post(numbers.map((number) => ({ number, buffer: null })));
    collectGarbage();
  }

  #post(messages: readonly CopyThreadMessage[]): void {
    for (const thread of this.#threads) for (const message of messages) thread.postMessage(message);
    Atomics.add(this.#control, postedWord, messages.length);
    // They forget at once; what is new they see when they need it.
    if (messages.some(({ buffer }) => buffer === null)) this.#wake(Infinity);
  }

  #wake(threads: number): void {
    Atomics.add(this.#control, turnWord, 1);
    Atomics.notify(this.#control, turnWord, threads);
  }

  #startThreads(): void {
    if (this.#threads.length > 0) return;
    const workerData: CopyThreadData = { control: this.#control.buffer as SharedArrayBuffer, posted: Atomics.load(this.#control, postedWord) };
    this.#threads = Array.from({ length: this.#threadCount }, () => {
      const thread = new Worker(this.#entry, { workerData, env: {} });
      thread.unref();
      for (const event of ['error', 'exit']) thread.on(event, () => void this.#goOnAlone());
      return thread;
    });
    // Not with the data that they are started with, which is never let go of.
    this.#post(this.#blocks.flatMap(({ length, buffer }, number) => (length > 0 ? [{ number, buffer: buffer as SharedArrayBuffer }] : [])));
  }

  /** Without threads everything still works, on one. */
  #goOnAlone(): Promise<void> {
    this.#ended ??= this.#endThreads();
    return this.#ended;
  }

  /** All of them must have stopped before anything is done again. */
  async #endThreads(): Promise<void> {
    await Promise.all(this.#threads.splice(0).map((thread) => thread.terminate()));
    withdrawAll(this.#control);
    for (const copying of this.#underWay) {
      if (this.#leftOf(copying) <= 0) continue;
      this.#copyAlone(copying.copy);
      Atomics.store(this.#control, leftWordOf(copying.begin), 0);
    }
    this.#settle();
  }

  #copyAlone({ runs, count, runWords, target }: RunCopy): void {
    copyRuns(this.#blocks, this.#blocks[runs], 0, count, runWords, this.#blocks[target]);
  }
}

/** How many threads copy beside the asking one: a quarter of the processors is for that and for the GPU's driver. */
export function threadsFor(processors: number): number {
  return Math.min(mostThreads, Math.floor((3 * processors) / 4));
}

/** Lets other things happen; keeps the process meanwhile. */
function aTurn(): Promise<void> {
  return new Promise((resolve) => void setImmediate(resolve));
}

/** Bundled beside the program that starts it; from the sources in a checkout. */
function copyThreadUrl(): URL {
  return new URL(import.meta.url.endsWith('.ts') ? './copyThreadEntry.ts' : './copy-thread.js', import.meta.url);
}
