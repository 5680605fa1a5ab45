import { expect, test } from 'vitest';
import { thresholds } from '../../host/inspector/grades.ts';
import { fitted, regrade, regraded } from './regrade.ts';
import type { CaseLine, Chip } from './summary.ts';

const chip = (right: boolean, signs: Partial<Chip>): Chip => ({ grade: 'none', right, share: 0.4, alignment: 0.4, drop: 3, claim: '', passage: 'x', around: 'the bridge at the harbour', ...signs });
const line = (seed: number, chips: Chip[], goneChips: Chip[] = []): CaseLine => ({
  seed, question: 'Who built the bridge at the harbour?', answer: '', text: '', correct: true, chips, bm25Right: true, peakRight: true, lost: 1, lostOther: 0, heads: [], goneText: '', goneCorrect: false, goneChips, seconds: 1,
});

test('grades are those of the thresholds and of what surrounds the passage', () => {
  const { chips } = regrade(line(1, [chip(true, {}), chip(true, { alignment: 1 }), chip(true, { around: 'Nothing of it.' }), chip(true, { around: '' })]), thresholds);
  expect(chips.map(({ grade }) => grade)).toEqual(['attended', 'verified', 'none', 'none']);
});

test('thresholds are raised until what is wrong goes unsaid, and no further', () => {
  const good = (seed: number): CaseLine => line(seed, [chip(true, { drop: 5 })]);
  const bad = (seed: number): CaseLine => line(seed, [chip(false, { drop: 3 })], [chip(false, { drop: 3 })]);
  const lines = Array.from({ length: 40 }, (_, seed) => (seed % 8 < 6 ? good(seed) : bad(seed)));
  const limits = fitted(lines);
  expect(limits?.attended.drop).toBe(4);
  const { now, onOtherHalf } = regraded(lines) as { now: { attended: { precision: number } }; onOtherHalf: { attended: { precision: number }; coverage: number } };
  expect([now.attended.precision, onOtherHalf.attended.precision, onOtherHalf.coverage]).toEqual([0.75, 1, 0.75]);
  expect(fitted([line(0, [chip(false, { alignment: 1, drop: 20, share: 0.9 })])])).toBeNull();
});
