/** The scratch of a step: what each buffer holds, f32, one row a token. */
import type { BlockSpec, ModelSpec } from './models/spec.ts';

/** Rows whose logits can be computed at once. */
export const maxTailRows = 8;

/** Columns and rows of each buffer. */
export function scratchShapes(spec: ModelSpec, maxRows: number) {
  const widest = (width: (block: BlockSpec) => number): number => Math.max(...spec.blocks.map(width));
  const heads = widest(({ mixer }) => mixer.heads * mixer.headDim);
  const rows = (columns: number, count = maxRows) => ({ columns, count });
  return {
    tokens: rows(1),
    hidden: rows(spec.hiddenSize),
    normed: rows(spec.hiddenSize),
    branch: rows(spec.hiddenSize),
    projections: rows(widest(({ mixer }) => (mixer.heads + 2 * mixer.kvHeads) * mixer.headDim)),
    queries: rows(heads),
    mixed: rows(heads),
    gateUp: rows(widest(({ feedForward }) => 2 * feedForward.width)),
    gated: rows(widest(({ feedForward }) => feedForward.width)),
    tail: rows(spec.hiddenSize, maxTailRows),
    tailNormed: rows(spec.hiddenSize, maxTailRows),
    logits: rows(spec.vocabularySize, maxTailRows),
  };
}

export function scratchBytes(spec: ModelSpec, maxRows: number): number {
  return Object.values(scratchShapes(spec, maxRows)).reduce((sum, { columns, count }) => sum + 4 * columns * count, 0);
}
