import { afterAll, describe, expect, it } from 'vitest';
import { addWhatIsMissing } from './olderBrowsers.ts';

const own = { toSorted: Array.prototype.toSorted, groupBy: Map.groupBy };

describe('what an older browser lacks', () => {
  afterAll(() => {
    // oxlint-disable-next-line no-extend-native -- it is put back
    Object.defineProperty(Array.prototype, 'toSorted', { value: own.toSorted, writable: true, configurable: true });
    Map.groupBy = own.groupBy;
  });

  it('is added, and does the same', () => {
    Reflect.deleteProperty(Array.prototype, 'toSorted');
    Reflect.deleteProperty(Map, 'groupBy');
    addWhatIsMissing();
    expect(Array.prototype.toSorted).not.toBe(own.toSorted);
    const items = [3, 1, 2];
    expect(items.toSorted((one, other) => other - one)).toEqual([3, 2, 1]);
    expect(items).toEqual([3, 1, 2]);
    expect(Object.keys(items)).toEqual(['0', '1', '2']);
    expect(Map.groupBy([1, 2, 3], (item) => item % 2)).toEqual(own.groupBy([1, 2, 3], (item) => item % 2));
  });
});
