import { setTimeout as pause } from 'node:timers/promises';

/** Waits until `check` gives something. */
export async function eventually<T>(check: () => T | Promise<T>, deadlineMs = 25_000): Promise<NonNullable<Awaited<T>>> {
  const endMs = performance.now() + deadlineMs;
  for (;;) {
    const value = await check();
    if (value) return value;
    if (performance.now() > endMs) throw new Error(`it did not happen within ${deadlineMs} ms`);
    await pause(10);
  }
}
