import type { Failure } from '../contract/entities.ts';
import { toFailure } from '../errors.ts';

/** What a person is told when `work` fails; fails itself when it does not. */
export async function failureOf(work: () => unknown): Promise<Failure> {
  try {
    await work();
  } catch (error) {
    return toFailure(error);
  }
  throw new Error('it did not fail');
}
