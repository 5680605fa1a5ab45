import { expect, test } from 'vitest';
import type { Retrieval, RetrievalDocument } from '../../../host/contract/inspection.ts';
import { css, tierColours, viridis } from './colours.ts';
import { colourOf, numbersOf } from './retrievalLanes.ts';

const base64 = (...values: number[]): string => btoa(String.fromCharCode(...new Uint8Array(new Float32Array(values).buffer)));
const document: RetrievalDocument = {
  documentId: 'a',
  far: base64(1, 1, 0),
  returned: base64(1, 0, 0),
  best: base64(0.01, 1, 0),
  missed: base64(0, 0.4, 0),
  onGpu: base64(1, 0.5, 1),
  inRam: base64(0, 0, 0),
  onDisk: base64(0, 0.5, 0),
};

test('strips show shares where something could be chosen, and where it lies everywhere', () => {
  expect([0, 1, 2].map((block) => colourOf('returned', document, block))).toEqual([css(viridis(1)), css(viridis(0)), null]);
  expect(colourOf('best', document, 0)).toBe(css(viridis(0.5)));
  expect(colourOf('where', document, 2)).toBe(css(tierColours.onGpu));
  const half = tierColours.onGpu.map((channel, i) => Math.round((channel + tierColours.onDisk[i]) / 2)) as [number, number, number];
  expect(colourOf('where', document, 1)).toBe(css(half));
});

test('numbers are of all steps, recall and weight of the sampled ones', () => {
  const step = { chosen: 10, hits: 5, fetched: 5, ramReadBytes: 100, diskReadBytes: 0, waitMs: 1, fetchMs: 3, recall: null, mass: null };
  const told: Retrieval = { policy: 'sketch', sealedTokens: 9, sampledSteps: 1, documents: [document], steps: [step, { ...step, hits: 10, fetchMs: 1, recall: 0.75, mass: 0.9 }] };
  const { recall, missed, hits, fetchMs, ramReadBytes } = numbersOf(told);
  expect([recall, missed?.toFixed(3), hits, fetchMs, ramReadBytes]).toEqual([0.75, '0.100', 0.75, 2, 100]);
  expect(numbersOf({ ...told, steps: [] })).toMatchObject({ recall: null, missed: null, hits: null, waitMs: 0 });
});
