import { describe, expect, it } from 'vitest';
import { formatAge, formatBytes, formatDuration, formatRate, formatWait, fractionOf } from './format.ts';

describe('numbers as people read them', () => {
  it('writes sizes in decimal units', () => {
    expect([0, 999, 1000, 1_536_000, 999_600_000, 88_201_000, 12_345_678_901].map(formatBytes)).toEqual([
      '0 bytes', '999 bytes', '1.0 KB', '1.5 MB', '1.0 GB', '88.2 MB', '12.3 GB',
    ]);
  });

  it('writes durations with two units at most', () => {
    expect([0.42, 8, 42, 60, 250, 7500].map(formatDuration)).toEqual(['0.4 s', '8.0 s', '42 s', '1 min', '4 min 10 s', '2 h 5 min']);
  });

  it('rounds waits to what can be known', () => {
    expect([0.2, 7.4, 43, 127, 1000].map(formatWait)).toEqual(['1 s', '7 s', '45 s', '2 min 10 s', '17 min']);
  });

  it('writes rates with a decimal only where it says something', () => {
    expect([0, 14.23, 1234.5].map(formatRate)).toEqual(['0.0', '14.2', '1,235']);
  });

  it('writes ages in their largest unit', () => {
    const now = 1_700_000_000_000;
    const ages = [0, 59, 60, 7200, 86_400, 6 * 86_400, 15 * 86_400, 100 * 86_400, 800 * 86_400].map((seconds) => formatAge(now - seconds * 1000, now));
    expect(ages).toEqual(['now', 'now', '1 minute ago', '2 hours ago', 'yesterday', '6 days ago', '2 weeks ago', '3 months ago', '2 years ago']);
    expect(formatAge(now + 5000, now)).toBe('now');
  });

  it('has no fraction of an unknown total', () => {
    expect(fractionOf(5, 0)).toBeNull();
    expect(fractionOf(5, 10)).toBe(0.5);
    expect(fractionOf(15, 10)).toBe(1);
  });
});
