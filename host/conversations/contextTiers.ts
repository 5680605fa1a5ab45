/** Where a prompt's keys lie, and what a policy does with those beyond the GPU. */
import { wantedTokens } from '../../engine/kv/tiers/policy.ts';
import type { ContextTiers } from '../contract/entities.ts';
import { defaultPolicySetting, type PolicyName, type PolicySetting } from '../contract/policy.ts';
import type { PromptMeasure } from '../gpu-worker/protocol.ts';

/** A forecast for each step and KV head; how many keys were attended in the end is in the answer's statistics. */
export function contextTiers({ totalTokens, offloadedTokens }: Pick<PromptMeasure, 'totalTokens' | 'offloadedTokens'>, setting: PolicySetting | null): ContextTiers {
  const policy = setting ?? defaultPolicySetting;
  const chosenTokens = chosenOf(policy, offloadedTokens);
  const restTokens = offloadedTokens - chosenTokens;
  const droppedTokens = policy.estimate ? 0 : restTokens;
  return {
    policy: policy.name,
    residentTokens: totalTokens - offloadedTokens,
    offloadedTokens,
    chosenTokens,
    estimatedTokens: policy.estimate ? restTokens : 0,
    droppedTokens,
    droppedBecause: droppedTokens > 0 ? droppedBecause(policy.name) : null,
  };
}

/** Why a policy leaves keys out, as a clause. */
export function droppedBecause(name: PolicyName): string {
  return name === 'window' ? 'the policy “window” attends to the first and the latest tokens only' : `the policy “${name}” does not estimate what it does not choose`;
}

function chosenOf(policy: PolicySetting, offloadedTokens: number): number {
  if (policy.name === 'full') return offloadedTokens;
  if (policy.name === 'window') return 0;
  return wantedTokens(policy, offloadedTokens, Infinity);
}
