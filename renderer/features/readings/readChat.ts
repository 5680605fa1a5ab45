/** Readings by command: the documents of the open chat, and whatever is under way. */
import type { Reading } from '../../../host/contract/entities.ts';
import { attempt } from '../../app/failures.ts';
import { activeConversationOf } from '../chat/conversationsSlice.ts';
import { chatStore } from '../chat/store.ts';
import { memoriesStore } from '../memories/store.ts';
import { answeringModel, modelsStore } from '../models/store.ts';
import { settingsStore } from '../settings/store.ts';
import { foremost, isUnderWay, readingOf, readingsStore } from './store.ts';
import { keptMemory } from './useDocumentReading.ts';

/** Documents of the open chat that its model has not read and is not reading. */
function unread(): { documentId: string; modelId: string }[] {
  const conversation = activeConversationOf(chatStore.getState());
  const { settings } = settingsStore.getState();
  const model = answeringModel(modelsStore.getState().models, conversation?.modelId ?? null, settings.defaultModelId);
  if (!conversation || !model || model.state === 'missing') return [];
  const { readings } = readingsStore.getState();
  const memories = memoriesStore.getState().memories ?? [];
  return conversation.documentIds
    .filter((id) => readingOf(readings, id, model.id) === null && keptMemory(memories, id, model.name) === null)
    .map((documentId) => ({ documentId, modelId: model.id }));
}

function underWay(): Reading | undefined {
  return readingsStore.getState().readings.find(isUnderWay);
}

function stopped(): Reading | null {
  const reading = foremost(readingsStore.getState().readings);
  return reading && !isUnderWay(reading) ? reading : null;
}

export const readChat = {
  canStart: () => unread().length > 0,
  start: () => {
    for (const { documentId, modelId } of unread()) attempt(readingsStore.getState().start(documentId, modelId));
  },
  canPause: () => underWay() !== undefined,
  pause: () => {
    const reading = underWay();
    if (reading) attempt(readingsStore.getState().pause(reading.id));
  },
  canResume: () => stopped() !== null,
  resume: () => {
    const reading = stopped();
    if (reading) attempt(readingsStore.getState().start(reading.documentId, reading.modelId));
  },
};
