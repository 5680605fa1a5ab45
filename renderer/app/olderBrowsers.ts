/** What we and our libraries use that Chromium 108 (Electron 22), the oldest that has to work, does not have yet. */

function add(target: object, name: string, value: unknown): void {
  if (!(name in target)) Object.defineProperty(target, name, { value, writable: true, configurable: true });
}

export function addWhatIsMissing(): void {
  add(Array.prototype, 'toSorted', function toSorted<T>(this: readonly T[], compare?: (one: T, other: T) => number): T[] {
    return [...this].sort(compare);
  });

  add(Map, 'groupBy', function groupBy<K, T>(items: Iterable<T>, keyOf: (item: T, index: number) => K): Map<K, T[]> {
    const groups = new Map<K, T[]>();
    let index = 0;
    for (const item of items) {
      const key = keyOf(item, index++);
      const group = groups.get(key);
      if (group) group.push(item);
      else groups.set(key, [item]);
    }
    return groups;
  });
}
