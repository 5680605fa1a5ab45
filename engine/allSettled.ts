/** Waits until all have ended, whatever became of them; rejects with the first failure. */
export async function allSettled(work: readonly (Promise<unknown> | undefined)[]): Promise<void> {
  for (const outcome of await Promise.allSettled(work)) if (outcome.status === 'rejected') throw outcome.reason;
}
