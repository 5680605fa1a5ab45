import { useEffect } from 'react';
import type { MemoryRecord, ModelRecord, Reading } from '../../../host/contract/entities.ts';
import { useActiveModel } from '../chat/hooks/useChatContext.ts';
import { memoriesStore, useMemories } from '../memories/store.ts';
import { readingOf, useReadings } from './store.ts';

export interface DocumentReading {
  /** Who would read it; null: there is no model. */
  model: ModelRecord | null;
  reading: Reading | null;
  /** What was read to the document's end and is kept. */
  kept: MemoryRecord | null;
}

/** How far a document is read by the model of the open chat. */
export function useDocumentReading(documentId: string): DocumentReading {
  const model = useActiveModel();
  const reading = useReadings((state) => readingOf(state.readings, documentId, model?.id ?? null));
  const memories = useMemories((state) => state.memories);
  useEffect(() => void memoriesStore.getState().ensureLoaded(), []);
  return { model, reading, kept: model && memories ? keptMemory(memories, documentId, model.name) : null };
}

export function keptMemory(memories: readonly MemoryRecord[], documentId: string, modelName: string): MemoryRecord | null {
  const holds = ({ users }: MemoryRecord) => users.some(({ kind, id }) => kind === 'document' && id === documentId);
  return memories.find((memory) => memory.modelName === modelName && memory.state !== 'damaged' && holds(memory)) ?? null;
}
