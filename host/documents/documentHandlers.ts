/** What answers the calls of `contract/documents.ts`. */
import type * as z from 'zod';
import type { documentMethods } from '../contract/documents.ts';
import type { Host } from '../host.ts';
import { tokenRangeResult } from '../gpu-worker/protocol.ts';
import { modelTarget } from '../models/modelTarget.ts';

type Methods = typeof documentMethods;
type DocumentHandlers = { [M in keyof Methods]: (params: z.output<Methods[M]['params']>) => Promise<z.output<Methods[M]['result']>> };

export function documentHandlers({ documents, models, settings, session, supervisor }: Pick<Host, 'documents' | 'models' | 'settings' | 'session' | 'supervisor'>): DocumentHandlers {
  return {
    'documents.structure': ({ documentId }) => documents.structure(documentId),
    'documents.page': ({ documentId, page }) => documents.page(documentId, page),
    'documents.locate': ({ documentId, start, end }) => documents.locate(documentId, start, end),
    'documents.tokenRange': ({ documentId, modelId, start, end }) => {
      documents.get(documentId);
      const target = modelTarget(models, models.get(modelId), settings.read().kv, null);
      const textPath = documents.textPath(documentId);
      return session.use(target, {}, () => supervisor.run({ kind: 'token-range', textPath, start, end }, tokenRangeResult));
    },
    'documents.find': ({ documentId, query }) => documents.find(documentId, query),
    'documents.fileRange': ({ documentId, start, end }) => documents.fileRange(documentId, start, end),
  };
}
