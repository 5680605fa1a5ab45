import { expect, test } from 'vitest';
import type { LayerGroup } from '../../../host/contract/entities.ts';
import { layersInWords, sightInWords, unseenInWords } from './layerWords.ts';

const group: LayerGroup = { kind: 'full', mechanism: null, layers: [3], reachTokens: null, budgetTokens: null, stateBytes: null };
const linear: LayerGroup = { ...group, kind: 'linear', mechanism: 'gated delta', layers: [0, 1, 2], reachTokens: 0, stateBytes: 1_122_304 };

test.each([
  [[3], 'Layer 4'],
  [[0, 1, 2], 'Layers 1–3'],
  [[0, 1, 2, 4, 6, 7], 'Layers 1–3, 5, 7–8'],
  [[0, 2, 4, 6], '4 layers'],
])('%j are %s', (layers, words) => {
  expect(layersInWords(layers)).toBe(words);
});

test('what each kind sees', () => {
  expect(sightInWords(group)).toBe('every earlier token');
  expect(sightInWords({ ...group, kind: 'sliding', reachTokens: 1024 })).toBe('the last 1,024 tokens');
  expect(sightInWords({ ...group, kind: 'sparse', reachTokens: 512, budgetTokens: 1024 })).toBe('the last 512 tokens, 1,024 more in the blocks that matter most, and of all blocks their mean');
  expect(sightInWords(linear)).toBe('every earlier token, blended into a state of 1.1 MB a layer, however long the text (gated delta)');
  expect(sightInWords({ ...group, kind: 'evicting', reachTokens: 769, budgetTokens: 512, stateBytes: 5_300_000 })).toBe(
    'the last 769 tokens, and of the others up to 512 that a learned score keeps; what it drops never comes back (5.3 MB a layer)',
  );
});

test('layers whose attention cannot be shown', () => {
  expect(unseenInWords([group])).toBeNull();
  expect(unseenInWords([linear, group])).toMatch(/^Layers 1–3: not shown/);
});
