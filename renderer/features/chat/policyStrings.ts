/** The policies in words: what each does with what lies beyond the GPU, and what it costs. In the order of the list. */
import type { PolicyName } from '../../../host/contract/policy.ts';
import { type Translated, localised } from '../../app/language.ts';
import { germanPolicies, germanPolicyPicker } from './policyStrings.de.ts';
import { japanesePolicies, japanesePolicyPicker } from './policyStrings.ja.ts';

interface PolicyWords {
  name: string;
  /** One line: what it does, what it costs. */
  line: string;
}

export type PolicyStrings = Record<PolicyName, PolicyWords>;

const englishPolicies: PolicyStrings = {
  sketch: {
    name: 'Sketch',
    line: 'Finds what matters by a compact index and estimates the rest. Fast at any length.',
  },
  clusters: {
    name: 'Clusters',
    line: 'Exact in the best clusters; estimates the rest. Quick, but can miss a single token.',
  },
  graph: {
    name: 'Graph',
    line: 'Finds what matters by graphs; drops the rest. Making them takes time and memory.',
  },
  quest: {
    name: 'Quest',
    line: 'Exact in the pages with the best bounds; drops the rest. Quick, but loose.',
  },
  window: {
    name: 'Window',
    line: 'The first and the latest tokens only. The fastest; the middle is dropped.',
  },
  full: {
    name: 'Full',
    line: 'Every token exactly. Slow: everything is fetched again for each token written.',
  },
  flat: {
    name: 'Flat',
    line: 'Scores every token, drops all but the best. As slow as Full; for comparison.',
  },
};

export const policyStrings: PolicyStrings = localised(englishPolicies, { de: germanPolicies, ja: japanesePolicies });

const englishPicker = {
  label: 'Beyond the GPU',
  choose: 'How what lies beyond the GPU is attended to',
  hint: 'Matters only once a chat is longer than the GPU’s share for keys and values, which is set under Settings. Graph and Quest load the model again.',
  defaultName: 'Default (sketch, 2 %)',
  budget: 'Budget',
  budgetHint: 'How many of the tokens beyond the GPU are attended to exactly at a time.',
  misses: 'Chosen, but not on the GPU',
  missesHints: {
    strict: 'Each token waits for them. Exact, and slow where much is missing.',
    lagged: 'Faster, and less close to full attention: after an answer’s first tokens they are estimated or left out for now, counted as missed, and there for the next ones.',
    rolling: 'Fastest, and less close to full attention: after an answer’s first tokens each attends to all that is on the GPU, and layers take turns to choose what comes there.',
  },
  missNames: { strict: 'Wait', lagged: 'Go on', rolling: 'In turn' },
  turn: 'A layer’s turn comes every',
  turnHint: 'So many tokens. Fewer are closer to full attention, more are faster.',
  units: { share: 'Percent', tokens: 'Tokens' },
} as const;

export type PolicyPickerStrings = Translated<typeof englishPicker>;
export const policyPickerStrings: PolicyPickerStrings = localised(englishPicker, { de: germanPolicyPicker, ja: japanesePolicyPicker });
