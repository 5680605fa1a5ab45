/** Two ways of waiting for the GPU; which is right depends on the adapter. */
import type { Waiter } from '../ports.ts';

/**
 * Lets the runtime poll, and naps `napMs` of what was waited so far between two polls. Of several waits one naps for all.
 * @param yieldToEventLoop lets the runtime run its callbacks once, e.g. `setImmediate` as a promise.
 */
function nappingWaiter(yieldToEventLoop: () => Promise<void>, napMs: (waitedMs: number) => number): Waiter {
  const cell = new Int32Array(new SharedArrayBuffer(4));
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
        napping ??= state;
        const ms = napping === state ? napMs(performance.now() - startMs) : 0;
        if (ms > 0) Atomics.wait(cell, 0, 0, ms);
        await yieldToEventLoop();
      }
      if (napping === state) napping = null;
      return work;
    },
  };
}

/**
 * A real GPU answers at once. But each of the runtime's polls makes an object that has to be finalised: polling without a
 * pause, some 200 000 times a second, makes V8 stop everything for 60 ms once or twice a second. Short waits, which layers
 * are between, take no naps; what is waited for longer may come a little later.
 */
const prompt = { pollingMs: 0.3, napShare: 1 / 40, longestNapMs: 0.1 };

/**
 * On adapters that compute on the CPU the runtime's busy polling takes a core from the driver's own threads (1.4–2.1× on
 * two cores), and each look takes one as well: what has taken long already is looked after less often.
 */
const sleeping = { shortestNapMs: 0.3, napShare: 1 / 5, longestNapMs: 1.5 };

/** The right way for the adapter. `isHurried`: whether something else is under way that wants this thread as soon as it is done. */
export function waiterFor(kind: 'gpu' | 'software', yieldToEventLoop: () => Promise<void>, isHurried = (): boolean => false): Waiter {
  if (kind === 'software') return nappingWaiter(yieldToEventLoop, (waitedMs) => Math.min(sleeping.longestNapMs, Math.max(sleeping.shortestNapMs, sleeping.napShare * waitedMs)));
  return nappingWaiter(yieldToEventLoop, (waitedMs) => (waitedMs < prompt.pollingMs || isHurried() ? 0 : Math.min(prompt.longestNapMs, prompt.napShare * waitedMs)));
}
