/** A stretch of a document's text. */
import { useEffect, useState } from 'react';
import { host } from '../../../app/connection/session.ts';

/** Asked for in such pieces, which are kept while the window is open. */
const pieceCharacters = 4000;
const mostPieces = 200;
const pieces = new Map<string, Promise<string>>();

function pieceOf(documentId: string, index: number): Promise<string> {
  const key = `${documentId}/${index}`;
  const known = pieces.get(key);
  if (known) return known;
  const coming = host.call('documents.text', { documentId, start: index * pieceCharacters, end: (index + 1) * pieceCharacters }).then(({ text }) => text);
  coming.catch(() => pieces.delete(key));
  pieces.set(key, coming);
  const [oldest] = pieces.keys();
  if (pieces.size > mostPieces && oldest !== undefined) pieces.delete(oldest);
  return coming;
}

export async function documentRange(documentId: string, start: number, end: number): Promise<string> {
  const first = Math.floor(start / pieceCharacters);
  const last = Math.floor(Math.max(start, end - 1) / pieceCharacters);
  const texts = await Promise.all(Array.from({ length: last - first + 1 }, (_, i) => pieceOf(documentId, first + i)));
  return texts.join('').slice(start - first * pieceCharacters, end - first * pieceCharacters);
}

/** null until it is there, and where there is none. */
export function useDocumentRange(documentId: string | null, start: number, end: number): string | null {
  const [found, setFound] = useState<{ key: string; text: string } | null>(null);
  const key = `${documentId} ${start} ${end}`;
  useEffect(() => {
    if (documentId === null || end <= start) return undefined;
    let wanted = true;
    documentRange(documentId, start, end).then(
      (text) => wanted && setFound({ key, text }),
      () => undefined,
    );
    return () => {
      wanted = false;
    };
  }, [documentId, start, end, key]);
  return found?.key === key ? found.text : null;
}
