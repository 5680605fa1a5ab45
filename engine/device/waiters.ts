/** Two ways of waiting for the GPU; which is right depends on the adapter. */
import type { Waiter } from '../ports.ts';

/**
 * Each of the runtime's polls makes an object that has to be finalised: polling without a pause, some 200 000 a second,
 * makes V8 stop everything for 60 ms once or twice a second. Short waits, which layers are between, get none.
 */
const pollingMs = 0.3;
/** Of what was waited already; what is waited for longer may come a little later. */
const napShare = 1 / 40;
const longestNapMs = 0.1;

/** For a real GPU: the runtime's own polling is the fastest answer, and naps in what takes longer, unless `isHurried`. */
function promptWaiter(yieldToEventLoop: () => Promise<void>, isHurried: () => boolean): Waiter {
  const cell = new Int32Array(new SharedArrayBuffer(4));
  /** The one of several waits that naps. */
  let napping: object | null = null;
  return {
    turn: yieldToEventLoop,
    async settle(work) {
      const state = { pending: true };
      const settled = () => {
        state.pending = false;
      };
      work.then(settled, settled);
      const startMs = performance.now();
      while (state.pending) {
        const waitedMs = performance.now() - startMs;
        napping ??= state;
        if (waitedMs > pollingMs && napping === state && !isHurried()) Atomics.wait(cell, 0, 0, Math.min(longestNapMs, napShare * waitedMs));
        await yieldToEventLoop();
      }
      if (napping === state) napping = null;
      return work;
    },
  };
}

const shortestSleepMs = 0.3;
const longestSleepMs = 1.5;

/**
 * For adapters that compute on the CPU: sleeps between polls, because the runtime's busy polling takes
 * a core from the driver's own threads (1.4–2.1× on two cores). What has taken long already is looked after less often,
 * because each look takes a core as well.
 * @param yieldToEventLoop lets the runtime run its callbacks once, e.g. `setImmediate` as a promise.
 */
function sleepingWaiter(yieldToEventLoop: () => Promise<void>): Waiter {
  const cell = new Int32Array(new SharedArrayBuffer(4));
  return {
    turn: yieldToEventLoop,
    async settle(work) {
      const state = { pending: true };
      const settled = () => {
        state.pending = false;
      };
      work.then(settled, settled);
      const startMs = performance.now();
      while (state.pending) {
        const waitedMs = performance.now() - startMs;
        Atomics.wait(cell, 0, 0, Math.min(longestSleepMs, Math.max(shortestSleepMs, waitedMs / 5)));
        await yieldToEventLoop();
      }
      return work;
    },
  };
}

/** The right way for the adapter. `isHurried`: whether something else is under way that wants this thread as soon as it is done. */
export function waiterFor(kind: 'gpu' | 'software', yieldToEventLoop: () => Promise<void>, isHurried = (): boolean => false): Waiter {
  return kind === 'gpu' ? promptWaiter(yieldToEventLoop, isHurried) : sleepingWaiter(yieldToEventLoop);
}
