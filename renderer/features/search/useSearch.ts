import { useEffect, useState } from 'react';
import type { SearchResult } from '../../../host/contract/chatEntities.ts';
import type { Failure } from '../../../host/contract/entities.ts';
import { host } from '../../app/connection/session.ts';
import { failureOf } from '../../app/failures.ts';

const pauseMs = 80;

export interface Found {
  /** Null while nothing was asked for, or the first answer is awaited. */
  result: SearchResult | null;
  failure: Failure | null;
}

/** What the host finds for a query that is being typed; the newest answer stays until the next one is there. */
export function useSearch(query: string, limit: number): Found {
  const [found, setFound] = useState<Found>({ result: null, failure: null });
  const asked = query.trim() !== '';
  useEffect(() => {
    if (!asked) return undefined;
    let wanted = true;
    const timer = setTimeout(() => {
      host.call('search.query', { query: query.slice(0, 400), limit }).then(
        (result) => wanted && setFound({ result, failure: null }),
        (error: unknown) => wanted && setFound({ result: null, failure: failureOf(error) }),
      );
    }, pauseMs);
    return () => {
      wanted = false;
      clearTimeout(timer);
    };
  }, [query, limit, asked]);
  return asked ? found : { result: null, failure: null };
}
