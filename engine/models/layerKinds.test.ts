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
      { kind: 'linear', mechanism: 'gated delta', layers: [0, 1, 2], reachTokens: 0, budgetTokens: null, stateBytes: 4 * (4 * 32 * 32 + 3 * 256) },
      { kind: 'full', mechanism: null, layers: [3], reachTokens: null, budgetTokens: null, stateBytes: null },
    ],
  },
  {
    name: 'lfm2',
    groups: [
      { kind: 'linear', mechanism: 'short convolution', layers: [0, 2, 3], reachTokens: 0, budgetTokens: null, stateBytes: 4 * 2 * 64 },
      { kind: 'full', mechanism: null, layers: [1], reachTokens: null, budgetTokens: null, stateBytes: null },
    ],
  },
  {
    name: 'gemma3',
    groups: [
      { kind: 'sliding', mechanism: null, layers: [0], reachTokens: 40, budgetTokens: null, stateBytes: null },
      { kind: 'full', mechanism: null, layers: [1], reachTokens: null, budgetTokens: null, stateBytes: null },
    ],
  },
  {
    name: 'lalte',
    groups: [
      { kind: 'linear', mechanism: 'gated delta', layers: [0, 2], reachTokens: 0, budgetTokens: null, stateBytes: 4 * (2 * 32 * 32 + 3 * 192) },
      // Two heads of 16 + 24 slots: keys and values of 32 numbers, position and score; four rows before each convolution, in
      // multiples of 64 numbers.
      { kind: 'evicting', mechanism: null, layers: [1, 3], reachTokens: 24, budgetTokens: 16, stateBytes: 4 * (2 * 40 * 64 + 192 + 4 * 2 * (64 + 32 + 16)) },
    ],
  },
])('how far back the layers of $name see', async ({ name, groups }) => {
  expect(layerKinds(describeModel(await readGguf(openFamily(name), {})))).toEqual(groups);
});
