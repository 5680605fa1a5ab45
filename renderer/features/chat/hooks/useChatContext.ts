/** What several parts of the chat ask: the open conversation, its model, its draft. */
import type { Conversation, ModelRecord } from '../../../../host/contract/entities.ts';
import { useModels } from '../../models/store.ts';
import { useSettings } from '../../settings/store.ts';
import { activeConversationOf, keyOf } from '../conversationsSlice.ts';
import { useChat } from '../store.ts';
import { streamingAnswerOf } from '../thread.ts';

export function useActiveConversation(): Conversation | null {
  return useChat(activeConversationOf);
}

/** The model that will answer: the chat's own, else the default. */
export function useActiveModel(): ModelRecord | null {
  const own = useChat((state) => activeConversationOf(state)?.modelId ?? null);
  const fallback = useSettings((state) => state.settings.defaultModelId);
  return useModels((state) => state.models.find(({ id }) => id === (own ?? fallback)) ?? null);
}

export function useDraft(): string {
  return useChat((state) => state.drafts[keyOf(state.activeId)] ?? '');
}

export function useActiveMeter() {
  return useChat((state) => state.meters[keyOf(state.activeId)] ?? null);
}

export function useIsAnswering(): boolean {
  return useChat((state) => state.activeId !== null && streamingAnswerOf(state.threads[state.activeId]) !== null);
}
