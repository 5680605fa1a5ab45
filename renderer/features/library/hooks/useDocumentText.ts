import { useEffect, useState } from 'react';
import type { Failure } from '../../../../host/contract/entities.ts';
import { host } from '../../../app/connection/session.ts';
import { failureOf } from '../../../app/failures.ts';
import { splitParagraphs, takeParagraphs } from '../paragraphs.ts';

const sliceCharacters = 200_000;

export interface DocumentText {
  paragraphs: string[];
  complete: boolean;
  failure: Failure | null;
}

const nothing: DocumentText = { paragraphs: [], complete: false, failure: null };

/** The extracted text of a document, slice by slice, in paragraphs; one use of it is one document's. */
export function useDocumentText(documentId: string): DocumentText {
  const [text, setText] = useState(nothing);
  useEffect(() => {
    const controller = new AbortController();
    const { signal } = controller;
    async function load(): Promise<void> {
      let rest = '';
      for (let start = 0; ; start += sliceCharacters) {
        const slice = await host.call('documents.text', { documentId, start, end: start + sliceCharacters });
        if (signal.aborted) return;
        const complete = start + sliceCharacters >= slice.characters;
        const taken = complete ? { paragraphs: splitParagraphs(rest + slice.text), rest: '' } : takeParagraphs(rest + slice.text);
        rest = taken.rest;
        setText((before) => ({ ...before, paragraphs: [...before.paragraphs, ...taken.paragraphs], complete }));
        if (complete) return;
      }
    }
    load().catch((error: unknown) => !signal.aborted && setText((before) => ({ ...before, failure: failureOf(error) })));
    return () => controller.abort();
  }, [documentId]);
  return text;
}
