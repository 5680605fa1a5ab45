import fc from 'fast-check';
import { expect, test } from 'vitest';
import { StopMatcher } from './stopMatcher.ts';

function run(stops: string[], pieces: string[]): { text: string; stopped: boolean } {
  const matcher = new StopMatcher(stops);
  let text = '';
  for (const piece of pieces) {
    const step = matcher.push(piece);
    text += step.text;
    if (step.stopped) return { text, stopped: true };
  }
  return { text: text + matcher.flush(), stopped: false };
}

test('holds back what may become a stop string and shows it when it does not', () => {
  const matcher = new StopMatcher(['\n\nQ:']);
  expect(matcher.push('yes\n')).toEqual({ text: 'yes', stopped: false });
  expect(matcher.push('\nno')).toEqual({ text: '\n\nno', stopped: false });
  expect(matcher.push('\n\nQ: next')).toEqual({ text: '', stopped: true });
});

test('the shown text is the text before the first stop string, however it is cut into pieces', () => {
  const letters = fc.string({ unit: fc.constantFrom('a', 'b', 'c'), maxLength: 40 });
  const stop = fc.string({ unit: fc.constantFrom('a', 'b', 'c'), minLength: 1, maxLength: 4 });
  fc.assert(
    fc.property(letters, fc.array(stop, { maxLength: 3 }), fc.array(fc.nat(5), { minLength: 1, maxLength: 20 }), (text, stops, sizes) => {
      const pieces: string[] = [];
      for (let at = 0, i = 0; at < text.length; i++) {
        const size = sizes[i % sizes.length] + 1;
        pieces.push(text.slice(at, at + size));
        at += size;
      }
      const places = stops.map((s) => text.indexOf(s)).filter((at) => at >= 0);
      const expected = places.length > 0 ? text.slice(0, Math.min(...places)) : text;
      const result = run(stops, pieces);
      // Arriving in pieces, the stop string that completes first wins; it can begin later than another.
      if (places.length <= 1) expect(result.text).toBe(expected);
      expect(result.stopped).toBe(places.length > 0);
      expect(text.startsWith(result.text)).toBe(true);
    }),
  );
});
