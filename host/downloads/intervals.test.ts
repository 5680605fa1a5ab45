import { expect, test } from 'vitest';
import { Intervals } from './intervals.ts';

test('intervals are what a set of bytes is, whatever is added and removed', () => {
  const size = 64;
  let seed = 7;
  const random = (below: number) => (seed = (seed * 48_271) % 2_147_483_647) % below;
  for (let round = 0; round < 200; round += 1) {
    const bytes = new Set<number>();
    const intervals = new Intervals();
    for (let step = 0; step < 12; step += 1) {
      const start = random(size);
      const stretch = { start, end: start + random(size - start + 1) };
      const removing = random(3) === 0;
      if (removing) intervals.remove(stretch);
      else intervals.add(stretch);
      for (let byte = stretch.start; byte < stretch.end; byte += 1) {
        if (removing) bytes.delete(byte);
        else bytes.add(byte);
      }
      const listed = intervals.list();
      expect(listed.flatMap(({ start: from, end }) => Array.from({ length: end - from }, (_, index) => from + index))).toEqual([...bytes].sort((a, b) => a - b));
      listed.forEach(({ start: from }, index) => index > 0 && expect(from).toBeGreaterThan(listed[index - 1]?.end ?? Infinity));
      expect(intervals.total).toBe(bytes.size);
      const missing = Array.from({ length: size }, (_, byte) => byte).find((byte) => !bytes.has(byte));
      const gap = intervals.firstGap(size, 9);
      expect(gap?.start ?? null).toBe(missing ?? null);
      if (gap) for (let byte = gap.start; byte < gap.end; byte += 1) expect(bytes.has(byte)).toBe(false);
      if (gap) expect(gap.end - gap.start === 9 || gap.end === size || bytes.has(gap.end)).toBe(true);
    }
  }
});
