import { expect, test } from 'vitest';
import { retrievalOf } from './retrievalBlocks.ts';

const floats = (base64: string): number[] => [...new Float32Array(Uint8Array.from(Buffer.from(base64, 'base64')).buffer)];

test('what a policy did is gathered by blocks of a document: shares as means, weights as sums', () => {
  const sealed = 600;
  const at = (of: (position: number) => number): Float32Array => Float32Array.from({ length: sealed }, (_, position) => of(position));
  const replay = { policy: 'sketch', sealed, sampledSteps: 2, steps: [], returned: at(() => 0.25), best: at(() => 0.5), missed: at(() => 0.001), onGpu: at((position) => Number(position < 301)), inRam: at((position) => Number(position >= 301 && position < 500)) };
  // Two tokens a block; the last block is short, and behind what is sealed everything is on the GPU.
  const starts = Array.from({ length: 1001 }, (_, token) => 5 * token);
  const [document] = retrievalOf(replay, [{ id: 'book', firstToken: 20, starts }]).documents;
  expect(floats(document.far).length).toBe(501);
  const block = (of: number): number[] => (['far', 'returned', 'best', 'missed', 'onGpu', 'inRam', 'onDisk'] as const).map((name) => Math.round(floats(document[name])[of] * 1e6) / 1e6);
  expect(block(0)).toEqual([1, 0.25, 0.5, 0.002, 1, 0, 0]);
  expect(block(140)).toEqual([1, 0.25, 0.5, 0.002, 0.5, 0.5, 0]);
  expect(block(250)).toEqual([1, 0.25, 0.5, 0.002, 0, 0, 1]);
  expect(block(500)).toEqual([0, 0, 0, 0, 1, 0, 0]);
});

test('where everything is on the GPU there is nothing to tell', () => {
  expect(retrievalOf(null, [])).toEqual({ policy: 'full', sealedTokens: 0, sampledSteps: 0, steps: [], documents: [] });
});
