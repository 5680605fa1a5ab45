/** The policies in words: what each does with what lies beyond the GPU, and what it costs. In the order of the list. */
import type { PolicyName } from '../../../host/contract/policy.ts';

interface PolicyWords {
  name: string;
  /** One line: what it does, what it costs. */
  line: string;
}

export const policyStrings: Record<PolicyName, PolicyWords> = {
  sketch: {
    name: 'Sketch',
    line: 'Finds the tokens that matter by a compact index, attends to them exactly and estimates the rest. Fast at any length.',
  },
  clusters: {
    name: 'Clusters',
    line: 'Attends exactly to the members of the best clusters and estimates the rest. Quick to search; can miss a single token.',
  },
  graph: {
    name: 'Graph',
    line: 'Finds the tokens that matter on the processor, by graphs that are made while reading; drops the rest. Making them takes time and memory; the model is loaded again.',
  },
  quest: {
    name: 'Quest',
    line: 'Attends to the pages with the best bounds and drops the rest. Quick to search; needs page bounds, so the model is loaded again.',
  },
  window: {
    name: 'Window',
    line: 'Attends to the first and the latest tokens only. The fastest; the middle of the document is dropped.',
  },
  full: {
    name: 'Full',
    line: 'Attends to every token exactly. The measure of the others; slow, because everything is fetched again for every token written.',
  },
  flat: {
    name: 'Flat',
    line: 'Scores every token exactly, attends to the best and drops the rest. As slow as Full; shows what choosing by score can reach.',
  },
};

export const policyPickerStrings = {
  label: 'Beyond the GPU',
  choose: 'How what lies beyond the GPU is attended to',
  hint: 'Matters only once a chat is longer than the GPU’s share for keys and values, which is set under Settings.',
  defaultName: 'Default (sketch, 2 %)',
  budget: 'Budget',
  budgetHint: 'How many of the tokens beyond the GPU are attended to exactly at a time.',
  misses: 'Chosen, but not on the GPU',
  missesHint: 'Waiting for them is exact. Going on is faster: they are estimated or left out for now, counted as missed, and there for the next steps.',
  missNames: { strict: 'Wait', lagged: 'Go on' },
  units: { share: 'Percent', tokens: 'Tokens' },
} as const;
