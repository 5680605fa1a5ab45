/**
 * Shared memory is freed once every thread has forgotten it and collected its garbage, but it does not count as garbage
 * that is worth collecting, and a thread that sleeps never does.
 */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

let collect: (() => void) | null = null;

/** Collects this thread's garbage now: some milliseconds. */
export function collectGarbage(): void {
  if (!collect) {
    setFlagsFromString('--expose-gc');
    collect = runInNewContext('gc') as () => void;
  }
  collect();
}
