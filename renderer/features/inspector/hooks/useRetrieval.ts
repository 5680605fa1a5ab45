import { useEffect, useState } from 'react';
import type { Failure } from '../../../../host/contract/entities.ts';
import type { Retrieval } from '../../../../host/contract/inspection.ts';
import { host } from '../../../app/connection/session.ts';
import { failureOf } from '../../../app/failures.ts';

export interface RetrievalState {
  told: Retrieval | null;
  failure: Failure | null;
}

/** What the policy did for an answer; asked for while `wanted`. */
export function useRetrieval(messageId: string, wanted: boolean): RetrievalState {
  const [known, setKnown] = useState<RetrievalState & { messageId: string }>({ messageId, told: null, failure: null });
  const missing = wanted && (known.messageId !== messageId || known.told === null);
  useEffect(() => {
    if (!missing) return undefined;
    let here = true;
    host.call('inspector.retrieval', { messageId }).then(
      (told) => here && setKnown({ messageId, told, failure: null }),
      (error: unknown) => here && setKnown({ messageId, told: null, failure: failureOf(error) }),
    );
    return () => {
      here = false;
    };
  }, [missing, messageId]);
  return known.messageId === messageId ? known : { told: null, failure: null };
}
