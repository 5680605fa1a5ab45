import { useEffect, useState } from 'react';
import type { Failure } from '../../../../host/contract/entities.ts';
import type { HeadChoice, Tile } from '../../../../host/contract/inspection.ts';
import { host } from '../../../app/connection/session.ts';
import { failureOf } from '../../../app/failures.ts';
import { bucketsOf, type TrianglePlace } from '../triangle.ts';

export interface TriangleState {
  /** Of the place that is wanted; null until it is there. */
  tile: Tile | null;
  /** 0 to 1, while it is computed. */
  progress: number | null;
  failure: Failure | null;
}

interface Wish {
  messageId: string;
  heads: HeadChoice;
  promptTokens: number;
  /** null: nothing is computed; what was under way is cancelled. */
  place: TrianglePlace | null;
}

const nothing: TriangleState = { tile: null, progress: null, failure: null };

/** A tile of the triangle, with how far it is. */
export function useTriangle({ messageId, heads, promptTokens, place }: Wish): TriangleState {
  const key = place && `${place.level}/${place.row}/${place.column}`;
  const [known, setKnown] = useState<{ key: string; state: TriangleState } | null>(null);
  useEffect(() => {
    if (!place || key === null) return undefined;
    let wanted = true;
    const tell = (state: TriangleState): void => {
      if (wanted) setKnown({ key, state });
    };
    const ignore = host.on('inspection.progress', ({ messageId: of, done, total }) => of === messageId && tell({ ...nothing, progress: done / Math.max(1, total) }));
    host
      .call('inspector.triangle', { messageId, heads, ...bucketsOf(place, promptTokens) })
      .then(
        (tile) => tell({ ...nothing, tile }),
        (error: unknown) => tell({ ...nothing, failure: failureOf(error) }),
      )
      .finally(ignore);
    return () => {
      wanted = false;
      ignore();
      void host.call('inspector.cancel', { messageId }).catch(() => undefined);
    };
    // The key says everything of the place.
    // oxlint-disable-next-line react-hooks/exhaustive-deps
  }, [messageId, heads, promptTokens, key]);
  if (known && known.key === key) return known.state;
  return key === null ? nothing : { ...nothing, progress: 0 };
}
