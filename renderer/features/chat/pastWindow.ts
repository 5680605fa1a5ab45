/** When a conversation passes its window: what the person is asked, and what they can choose. */
import type { ConversationEvent } from '../../../host/contract/chatEntities.ts';
import type { ContextMeter } from '../../../host/contract/entities.ts';

/**
 * `gpu`: with its history the conversation no longer fits the GPU; documents that do not fit by themselves are another
 * matter, of which the context bar tells. `model`: it passes what the model was trained for, beyond which there is
 * nothing to offload to. Null: nothing to choose.
 */
export function passedWindow(meter: ContextMeter | null, happened: readonly ConversationEvent[]): 'gpu' | 'model' | null {
  if (!meter || meter.historyTokens === 0) return null;
  if (meter.refusal) return 'model';
  const { residentTokens, offloadedTokens } = meter.tiers;
  const withoutHistory = residentTokens + offloadedTokens - meter.historyTokens - meter.questionTokens;
  const chosen = happened.some(({ details }) => details.kind === 'offloaded');
  return offloadedTokens > 0 && withoutHistory <= residentTokens && !chosen ? 'gpu' : null;
}
