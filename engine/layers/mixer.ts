/**
 * A layer kind mixes information between tokens and owns its cache. The runner knows only this
 * interface, so a new kind (linear attention, learned eviction) is a new file and a line in `kinds.ts`.
 */
import type { Part } from './part.ts';

/** State that a bounded cache needs to go back to a length it has passed. */
export interface MixerCheckpoint {
  sizeBytes: number;
  restore(encoder: GPUCommandEncoder): void;
  free(): void;
}

export interface Mixer {
  /** Encoded in order: they read the projections of `step.rows` tokens, update the cache, write the mixed rows. */
  readonly parts: readonly Part[];
  /** Whether the sequence can be cut to `length` tokens after `written` were stored. */
  canTruncate(length: number, written: number): boolean;
  /** The cache as it is after `length` tokens, all there are; null when it never forgets, so that no checkpoint is needed. */
  checkpoint(encoder: GPUCommandEncoder, length: number): MixerCheckpoint | null;
  free(): void;
}
