/**
 * Streamed text. Deltas are collected and applied once a frame; each says where it belongs, so that a
 * missing one is noticed and the message is fetched whole.
 */
import type { EventPayload } from '../../../host/contract/methods.ts';

export type Delta = EventPayload<'answer.delta'>;

/** The text with the delta in its place, or null when something before it is missing. */
export function applyDelta(text: string, delta: Pick<Delta, 'offset' | 'text'>): string | null {
  if (delta.offset > text.length) return null;
  const already = text.length - delta.offset;
  return already >= delta.text.length ? text : text + delta.text.slice(already);
}

/** Applies what can be applied in order; `rest` begins with the delta that left a gap. */
export function applyDeltas(text: string, deltas: readonly Delta[]): { text: string; rest: Delta[] } {
  for (const [index, delta] of deltas.entries()) {
    const next = applyDelta(text, delta);
    if (next === null) return { text, rest: deltas.slice(index) };
    text = next;
  }
  return { text, rest: [] };
}

/** Calls back at the next frame; a hidden window gets no frames, so a timer stands in. */
export function atNextFrame(callback: () => void): void {
  if (typeof document !== 'undefined' && document.visibilityState === 'visible') requestAnimationFrame(callback);
  else setTimeout(callback, 100);
}

/** Gathers deltas by message between two frames. */
export class DeltaBuffer {
  readonly #waiting = new Map<string, Delta[]>();
  readonly #apply: (messageId: string, deltas: Delta[]) => void;
  readonly #schedule: (callback: () => void) => void;
  #scheduled = false;

  constructor(apply: (messageId: string, deltas: Delta[]) => void, schedule = atNextFrame) {
    this.#apply = apply;
    this.#schedule = schedule;
  }

  push(delta: Delta): void {
    const waiting = this.#waiting.get(delta.messageId);
    if (waiting) waiting.push(delta);
    else this.#waiting.set(delta.messageId, [delta]);
    if (this.#scheduled) return;
    this.#scheduled = true;
    this.#schedule(() => this.#flush());
  }

  #flush(): void {
    this.#scheduled = false;
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const [messageId, deltas] of waiting) this.#apply(messageId, deltas);
  }
}
