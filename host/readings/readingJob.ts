/** One reading: load the model, read the document into a memory. Knows nothing of queues. */
import type { Reading } from '../contract/entities.ts';
import { ProgressMeter } from '../conversations/progressMeter.ts';
import { type ReadResult, readResult } from '../gpu-worker/protocol.ts';
import { modelTarget } from '../models/modelTarget.ts';
import type { ReadingParts } from './readings.ts';

export interface ReadingHooks {
  signal: AbortSignal;
  /** Somebody waits for another model. */
  onWanted(): void;
  /** At most four times a second. */
  onProgress(progress: Pick<Reading, 'doneTokens' | 'totalTokens' | 'tokensPerSecond' | 'secondsLeft'>): void;
}

const reportEveryMs = 250;

/** What is kept already is not read again. @throws `cancelled` when `signal` says so. */
export async function readDocument(
  { documents, models, settings, session, supervisor, memories }: Pick<ReadingParts, 'documents' | 'models' | 'settings' | 'session' | 'supervisor' | 'memories'>,
  documentId: string,
  modelId: string,
  { signal, onWanted, onProgress }: ReadingHooks,
): Promise<ReadResult> {
  const model = models.get(modelId);
  const { name } = documents.get(documentId);
  const document = { id: documentId, name, textPath: documents.textPath(documentId) };
  const meter = new ProgressMeter(
    ({ done, total, perSecond, secondsLeft }) =>
      onProgress({ doneTokens: done, totalTokens: total, tokensPerSecond: perSecond > 0 ? perSecond : null, secondsLeft }),
    undefined,
    reportEveryMs,
  );
  const keeping = await memories.keeping(model.name, null);
  try {
    return await session.use(modelTarget(models, model, settings.read().kv, null), { signal, onWanted }, () =>
      supervisor.run({ kind: 'read', document, keeping }, readResult, {
        signal,
        onProgress: ({ phase, done, total }) => {
          if (phase === 'reading') meter.update(phase, done, total);
        },
      }),
    );
  } finally {
    meter.flush();
  }
}
