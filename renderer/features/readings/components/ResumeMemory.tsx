import { Play } from 'lucide-react';
import type { MemoryRecord } from '../../../../host/contract/entities.ts';
import { attempt } from '../../../app/failures.ts';
import { IconButton } from '../../../ui/IconButton.tsx';
import { useLibrary } from '../../library/store.ts';
import { useModels } from '../../models/store.ts';
import { readingOf, readingsStore, useReadings } from '../store.ts';
import { readingsStrings as text } from '../strings.ts';

/** Goes on with what a chat or a command began to read, as long as the document and the model are still there. */
export function ResumeMemory({ memory: { users, modelName } }: { memory: MemoryRecord }) {
  const documentId = users.find(({ kind }) => kind === 'reading')?.id ?? '';
  const document = useLibrary((state) => state.documents[documentId]);
  const model = useModels((state) => state.models.find(({ name, state: is }) => name === modelName && is === 'ready'));
  const reading = useReadings((state) => readingOf(state.readings, documentId, model?.id ?? null));
  // One that is listed has its own button.
  if (!document || !model || (reading && reading.state !== 'done')) return null;
  return <IconButton icon={Play} label={text.resumeNamed(document.name)} onClick={() => attempt(readingsStore.getState().start(document.id, model.id))} />;
}
