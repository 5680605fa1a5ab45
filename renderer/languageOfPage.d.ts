/**
 * The interface is checked against the language of Chromium 108 (tsconfig.json beside this file): ES2022, what that
 * Chromium has of ES2023, and what `app/olderBrowsers.ts` adds. Anything else would leave its window blank.
 */
interface Array<T> {
  findLast(predicate: (value: T, index: number, array: T[]) => unknown): T | undefined;
  findLastIndex(predicate: (value: T, index: number, array: T[]) => unknown): number;
  toSorted(compare?: (a: T, b: T) => number): T[];
}

interface ReadonlyArray<T> {
  findLast(predicate: (value: T, index: number, array: readonly T[]) => unknown): T | undefined;
  findLastIndex(predicate: (value: T, index: number, array: readonly T[]) => unknown): number;
  toSorted(compare?: (a: T, b: T) => number): T[];
}

interface MapConstructor {
  groupBy<K, T>(items: Iterable<T>, keyOf: (item: T, index: number) => K): Map<K, T[]>;
}
