import { useEffect, useState } from 'react';
import type { DocumentStructure } from '../../../../host/contract/documents.ts';
import type { Failure } from '../../../../host/contract/entities.ts';
import { host } from '../../../app/connection/session.ts';
import { failureOf } from '../../../app/failures.ts';

export interface StructureState {
  structure: DocumentStructure | null;
  failure: Failure | null;
}

const nothing: StructureState = { structure: null, failure: null };

/** The pages and headings of a document; one use of it is one document's. */
export function useStructure(documentId: string): StructureState {
  const [state, setState] = useState(nothing);
  useEffect(() => {
    let wanted = true;
    host.call('documents.structure', { documentId }).then(
      (structure) => wanted && setState({ structure, failure: null }),
      (error: unknown) => wanted && setState({ structure: null, failure: failureOf(error) }),
    );
    return () => {
      wanted = false;
    };
  }, [documentId]);
  return state;
}
