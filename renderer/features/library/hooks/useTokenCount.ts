import { useEffect, useState } from 'react';
import { host } from '../../../app/connection/session.ts';

/** Tokens of a document by a model's own tokenizer; null until they are counted. */
export function useTokenCount(documentId: string, modelId: string | null): number | null {
  const [count, setCount] = useState<{ key: string; tokens: number } | null>(null);
  const key = `${documentId} ${modelId}`;
  useEffect(() => {
    if (modelId === null) return undefined;
    let wanted = true;
    host.call('documents.countTokens', { documentId, modelId }).then(
      ({ tokens }) => wanted && setCount({ key: `${documentId} ${modelId}`, tokens }),
      () => undefined,
    );
    return () => {
      wanted = false;
    };
  }, [documentId, modelId]);
  return count?.key === key ? count.tokens : null;
}
