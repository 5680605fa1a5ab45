/** What several parts of the chat ask: the open conversation, its model, its draft. */
import type { Conversation, Failure, ModelRecord } from '../../../../host/contract/entities.ts';
import { answeringModel, useModels } from '../../models/store.ts';
import { useSettings } from '../../settings/store.ts';
import { activeConversationOf, keyOf } from '../conversationsSlice.ts';
import { useChat } from '../store.ts';
import { passedWindow } from '../pastWindow.ts';
import { streamingAnswerOf } from '../thread.ts';

export function useActiveConversation(): Conversation | null {
  return useChat(activeConversationOf);
}


/** The model that will answer in the open chat. */
export function useActiveModel(): ModelRecord | null {
  const own = useChat((state) => activeConversationOf(state)?.modelId ?? null);
  const preferred = useSettings((state) => state.settings.defaultModelId);
  return useModels((state) => answeringModel(state.models, own, preferred));
}

export function useMeterFailure(): Failure | null {
  return useChat((state) => state.meterFailures[keyOf(state.activeId)] ?? null);
}

export function useDraft(): string {
  return useChat((state) => state.drafts[keyOf(state.activeId)] ?? '');
}

export function useActiveMeter() {
  return useChat((state) => state.meters[keyOf(state.activeId)] ?? null);
}

/** Whether the person has to choose how the conversation goes on. */
export function usePassedWindow(): 'gpu' | 'model' | null {
  const meter = useActiveMeter();
  const happened = useChat((state) => (state.activeId === null ? undefined : state.happenings[state.activeId]));
  return passedWindow(meter, happened ?? []);
}

export function useIsAnswering(): boolean {
  return useChat((state) => state.activeId !== null && streamingAnswerOf(state.threads[state.activeId]) !== null);
}
