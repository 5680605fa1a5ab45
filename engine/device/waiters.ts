/** Two ways of waiting for the GPU; which is right depends on the adapter. */
import type { Waiter } from '../ports.ts';

/** For a real GPU: the runtime's own polling is the fastest answer. */
function promptWaiter(yieldToEventLoop: () => Promise<void>): Waiter {
  return { settle: (work) => work, turn: yieldToEventLoop };
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

/** The right way for the adapter. */
export function waiterFor(kind: 'gpu' | 'software', yieldToEventLoop: () => Promise<void>): Waiter {
  return kind === 'gpu' ? promptWaiter(yieldToEventLoop) : sleepingWaiter(yieldToEventLoop);
}
