import { expect, test } from 'vitest';
import type { AnswerEvidence } from '../../../host/contract/inspection.ts';
import { brightness, viridis } from './colours.ts';
import { placeOf, profileOf, topPassages, touchedBlocks } from './profile.ts';

const base64 = (values: number[]): string => btoa(String.fromCharCode(...new Uint8Array(new Float32Array(values).buffer)));
const zones = [{ sinks: 1, recent: 0, document: 0, other: 0 }];
const token = (start: number) => ({ start, end: start + 1, position: 200 + start, logprob: -1, zones });

const evidence: AnswerEvidence = {
  version: 1,
  promptTokens: 201,
  answerTokens: 2,
  tokens: [token(0), token(1)],
  groups: [],
  heads: [],
  citations: [],
  documents: [
    { documentId: 'a', name: 'A', firstToken: 8, tokens: 40, blockTokens: 8, blockStarts: [0, 30, 60, 90, 120, 150], blocks: base64([0.9, 0, 0.2, 0.2, 0, 0.9, 0, 0, 0.4, 0]) },
    { documentId: 'b', name: 'B', firstToken: 60, tokens: 3, blockTokens: 1, blockStarts: [0, 5, 9, 12], blocks: base64([0, 0, 0, 0, 0, 0.2]) },
  ],
};

test('a profile is the mean over rows, without the first tokens of the prompt', () => {
  expect([...profileOf(evidence.documents[0], 2, null)].map((share) => share.toFixed(2))).toEqual(['0.00', '0.00', '0.10', '0.30', '0.00']);
  expect(profileOf(evidence.documents[0], 2, 1)[3]).toBeCloseTo(0.4);
});

test('passages are neighbouring blocks by their share of all documents', () => {
  const passages = topPassages(evidence, null);
  expect(passages.map(({ name, start, end, share }) => [name, start, end, share.toFixed(2)])).toEqual([
    ['A', 90, 120, '0.60'],
    ['B', 9, 12, '0.20'],
  ]);
  expect(topPassages(evidence, 0)[0]).toMatchObject({ name: 'A', start: 60, end: 120, share: 1 });
  expect(touchedBlocks(evidence)).toEqual({ touched: 3, all: 8 });
});

test('positions are found in their documents', () => {
  expect(placeOf(evidence, 8 + 17)).toMatchObject({ document: { documentId: 'a' }, block: 2 });
  expect(placeOf(evidence, 62)).toMatchObject({ document: { documentId: 'b' }, block: 2 });
  expect(placeOf(evidence, 55)).toBeNull();
});

test('weights become brighter evenly by their size', () => {
  expect([0, 1e-5, 1e-4, 1e-2, 1].map(brightness)).toEqual([0, 0, 0, 0.5, 1]);
  expect([viridis(0), viridis(1)]).toEqual([[68, 1, 84], [253, 231, 37]]);
});
