import { expect, test } from 'vitest';
import { readGguf } from '../formats/gguf/readGguf.ts';
import { openFamily } from '../testing/familyGoldens.ts';
import { layerKinds } from './layerKinds.ts';
import { describeModel } from './registry.ts';

test.each([
  {
    name: 'qwen35',
    // 4 heads of 32 × 32, and three inputs of (2 + 2 + 4) · 32 channels; f32.
    groups: [
      { kind: 'linear', mechanism: 'gated delta', layers: [0, 1, 2], reachTokens: 0, stateBytes: 4 * (4 * 32 * 32 + 3 * 256) },
      { kind: 'full', mechanism: null, layers: [3], reachTokens: null, stateBytes: null },
    ],
  },
  {
    name: 'lfm2',
    groups: [
      { kind: 'linear', mechanism: 'short convolution', layers: [0, 2, 3], reachTokens: 0, stateBytes: 4 * 2 * 64 },
      { kind: 'full', mechanism: null, layers: [1], reachTokens: null, stateBytes: null },
    ],
  },
  {
    name: 'gemma3',
    groups: [
      { kind: 'sliding', mechanism: null, layers: [0], reachTokens: 40, stateBytes: null },
      { kind: 'full', mechanism: null, layers: [1], reachTokens: null, stateBytes: null },
    ],
  },
])('how far back the layers of $name see', async ({ name, groups }) => {
  expect(layerKinds(describeModel(await readGguf(openFamily(name), {})))).toEqual(groups);
});
