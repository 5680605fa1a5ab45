import { useLibrary } from '../../library/store.ts';
import { useModels } from '../../models/store.ts';
import type { Reading } from '../../../../host/contract/entities.ts';
import { readingsStrings as text } from '../strings.ts';
import { ReadingProgress } from './ReadingProgress.tsx';

/** A reading by the names of its document and its model, wherever it is shown among others. */
export function ReadingRow({ reading }: { reading: Reading }) {
  const name = useLibrary((state) => state.documents[reading.documentId]?.name) ?? text.unknownDocument;
  const model = useModels((state) => state.models.find(({ id }) => id === reading.modelId)?.name) ?? text.unknownModel;
  return (
    <ReadingProgress
      reading={reading}
      name={name}
      heading={{ title: name, model }}
    />
  );
}
