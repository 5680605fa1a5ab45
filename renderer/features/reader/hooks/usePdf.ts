import { useEffect, useState } from 'react';
import type { Failure } from '../../../../host/contract/entities.ts';
import { failureOf } from '../../../app/failures.ts';
import type { OpenPdf } from '../pdf/openPdf.ts';
import { openPdf } from '../pdf/openPdf.ts';

export interface PdfState {
  open: OpenPdf | null;
  failure: Failure | null;
}

const nothing: PdfState = { open: null, failure: null };

/** The PDF itself, while it is looked at; one use of it is one document's. */
export function usePdf(documentId: string): PdfState {
  const [state, setState] = useState(nothing);
  useEffect(() => {
    let wanted = true;
    let close: () => void = () => undefined;
    const load = async () => {
      try {
        const open = await openPdf(documentId);
        close = open.close;
        if (wanted) setState({ open, failure: null });
        else close();
      } catch (error) {
        if (wanted) setState({ open: null, failure: failureOf(error) });
      }
    };
    void load();
    return () => {
      wanted = false;
      close();
    };
  }, [documentId]);
  return state;
}
