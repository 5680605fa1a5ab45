/** Whether the next question is answered from what has been read so far, while documents of the chat are not read to their end. */
import { useStore } from 'zustand';
import { createStore } from 'zustand/vanilla';
import type { Reading } from '../../../host/contract/entities.ts';
import { useActiveConversation, useActiveModel } from '../chat/hooks/useChatContext.ts';
import { isUnderWay, useReadings } from './store.ts';

/** By conversation; where nothing was chosen, a reading that is under way is not waited for. */
const choices = createStore<Record<string, boolean>>(() => ({}));

export interface ReadSoFar {
  /** Of the chat's documents, by its model: begun, and not at the end. Empty: there is nothing to choose. */
  unfinished: Reading[];
  onlyRead: boolean;
  choose(onlyRead: boolean): void;
}

export function unfinishedOf(readings: readonly Reading[], documentIds: readonly string[], modelId: string | null): Reading[] {
  return readings.filter((reading) => reading.modelId === modelId && documentIds.includes(reading.documentId) && reading.state !== 'done' && reading.doneTokens > 0);
}

export function useReadSoFar(): ReadSoFar {
  const conversation = useActiveConversation();
  const model = useActiveModel();
  const readings = useReadings((state) => state.readings);
  const unfinished = unfinishedOf(readings, conversation?.documentIds ?? [], model?.id ?? null);
  const chosen = useStore(choices, (state) => (conversation ? state[conversation.id] : undefined));
  return {
    unfinished,
    onlyRead: unfinished.length > 0 && (chosen ?? unfinished.some(isUnderWay)),
    choose: (onlyRead) => {
      if (conversation) choices.setState({ [conversation.id]: onlyRead });
    },
  };
}
