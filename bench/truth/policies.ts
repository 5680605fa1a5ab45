/** How policies are written on the command line and named in results. */
import { mostTurnSteps } from '../../host/contract/policy.ts';
import { estimatesRest, type Policy, type PolicyName, policyDescriptions } from '../../engine/kv/tiers/policy.ts';

export interface TriedPolicy {
  /** E.g. `sketch 2%`; the same label means the same cell of the tables. */
  label: string;
  policy: Policy;
  /** Only the first so many seeds; for what is slow. */
  seeds: number;
}

const pattern = /^(?<name>[a-z]+)(?<rest>[+-]estimate)?(?::(?<budget>[\d.]+%?))?(?:@(?<turn>\d+|lagged))?(?:\/(?<seeds>\d+))?$/;

/**
 * `NAME`, with `+estimate` or `-estimate` where it shall differ from how the policy was published, `:BUDGET` for a
 * budget of its own instead of each of `budgets`, `@lagged` for misses that no step waits for, `@N` to attend to all that slots hold, layers choosing in one of N steps, `/N` for the first N seeds only. Throws a RangeError with what is wrong.
 */
export function parsePolicies(text: string, budgets: readonly string[]): TriedPolicy[] {
  return text.split(',').flatMap((one): TriedPolicy[] => {
    const parts = pattern.exec(one.trim())?.groups;
    if (!parts || !Object.hasOwn(policyDescriptions, parts['name'])) throw new RangeError(`“${one}” is not a policy; one is NAME[+estimate][:BUDGET][@lagged|@STEPS][/SEEDS], NAME one of ${Object.keys(policyDescriptions).join(', ')}`);
    const name = parts['name'] as PolicyName;
    const estimate = parts['rest'] ? parts['rest'] === '+estimate' : estimatesRest[name];
    const seeds = parts['seeds'] ? Number(parts['seeds']) : Number.MAX_SAFE_INTEGER;
    const base = `${name}${estimate === estimatesRest[name] ? '' : estimate ? '+estimate' : '-estimate'}`;
    if (name === 'full' || name === 'window') return [{ label: base, policy: { name, budget: { share: 1 }, estimate }, seeds }];
    const [turn, misses] = missesOf(parts['turn']);
    return (parts['budget'] ? [parts['budget']] : budgets).map((budget) => ({ label: `${base} ${budget}${turn}`, policy: { name, budget: parseBudget(budget), estimate, ...misses }, seeds }));
  });
}

/** What a label says of the misses, and what the policy does with them. */
function missesOf(text: string | undefined): [label: string, misses: Pick<Policy, 'misses' | 'turnSteps'>] {
  if (text === undefined) return ['', {}];
  if (text !== 'lagged' && !(Number(text) >= 1 && Number(text) <= mostTurnSteps)) throw new RangeError(`“@${text}” is no turn; write @lagged, or the steps in which each layer chooses once, @1 to @${mostTurnSteps}`);
  return text === 'lagged' ? [' lagged', { misses: 'lagged' }] : [` every ${text}`, { misses: 'rolling', turnSteps: Number(text) }];
}

function parseBudget(text: string): Policy['budget'] {
  const amount = Number(text.replace('%', ''));
  if (text.endsWith('%') && amount > 0 && amount <= 100) return { share: amount / 100 };
  if (Number.isInteger(amount) && amount >= 1) return { tokens: amount };
  throw new RangeError(`“${text}” is not a budget; write a share of the far tokens, 2%, or their number, 500`);
}

/** The share that a label's budget means, in percent; null without one. */
export function percentOf(label: string): number | null {
  const match = / ([\d.]+)%(?: lagged| every \d+)?$/.exec(label);
  return match ? Number(match[1]) : null;
}
