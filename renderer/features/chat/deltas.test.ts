import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Delta, DeltaBuffer, applyDelta, applyDeltas } from './deltas.ts';

const delta = (offset: number, text: string, messageId = 'a1'): Delta => ({ conversationId: 'c1', messageId, offset, text });

describe('applyDelta', () => {
  it('appends, trims what is there already, and refuses a gap', () => {
    expect(applyDelta('Doro', delta(4, 'thea'))).toBe('Dorothea');
    expect(applyDelta('Doroth', delta(4, 'thea'))).toBe('Dorothea');
    expect(applyDelta('Dorothea', delta(4, 'the'))).toBe('Dorothea');
    expect(applyDelta('Doro', delta(5, 'hea'))).toBeNull();
  });

  it('keeps everything from the gap on', () => {
    const deltas = [delta(0, 'a'), delta(1, 'b'), delta(5, 'f'), delta(6, 'g')];
    expect(applyDeltas('', deltas)).toEqual({ text: 'ab', rest: deltas.slice(2) });
  });

  it('gives the whole text for any cut of it, with pieces sent twice', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.array(fc.nat(20)), (whole, sizes) => {
        const deltas: Delta[] = [];
        let offset = 0;
        for (const size of [...sizes, whole.length]) {
          const piece = delta(offset, whole.slice(offset, offset + size));
          deltas.push(piece, piece);
          offset += piece.text.length;
        }
        expect(applyDeltas('', deltas)).toEqual({ text: whole, rest: [] });
      }),
    );
  });
});

describe('DeltaBuffer', () => {
  it('applies everything since the last frame at once, by message', () => {
    const frames: (() => void)[] = [];
    const applied: [string, string][] = [];
    const buffer = new DeltaBuffer(
      (messageId, deltas) => applied.push([messageId, deltas.map(({ text }) => text).join('')]),
      (callback) => frames.push(callback),
    );
    buffer.push(delta(0, 'a'));
    buffer.push(delta(0, 'x', 'a2'));
    buffer.push(delta(1, 'b'));
    expect([frames.length, applied.length]).toEqual([1, 0]);
    frames[0]();
    expect(applied).toEqual([['a1', 'ab'], ['a2', 'x']]);
    buffer.push(delta(2, 'c'));
    expect(frames).toHaveLength(2);
  });
});
