/** What answers the calls of `contract/documents.ts`. */
import type { z } from 'zod';
import type { documentMethods } from '../contract/documents.ts';
import type { DocumentLibrary } from './documentLibrary.ts';

type Methods = typeof documentMethods;
type DocumentHandlers = { [M in keyof Methods]: (params: z.output<Methods[M]['params']>) => Promise<z.output<Methods[M]['result']>> };

export function documentHandlers(documents: DocumentLibrary): DocumentHandlers {
  return {
    'documents.structure': ({ documentId }) => documents.structure(documentId),
    'documents.page': ({ documentId, page }) => documents.page(documentId, page),
    'documents.locate': ({ documentId, start, end }) => documents.locate(documentId, start, end),
    'documents.find': ({ documentId, query }) => documents.find(documentId, query),
    'documents.fileRange': ({ documentId, start, end }) => documents.fileRange(documentId, start, end),
  };
}
