/** The scratch of a step: what each buffer holds, f32, one row a token. */
import { smallestTileRows, tileCount } from './layers/experts/tiles.ts';
import { linearColumns } from './layers/mixers/linearMixer.ts';
import { evictingSlots } from './models/evictingSpec.ts';
import { rwkvMixes } from './layers/mixers/rwkvMixer.ts';
import type { BlockSpec, ExpertsSpec, FeedForwardSpec, MixerSpec, ModelSpec } from './models/spec.ts';

/** Rows whose logits can be computed at once. */
export const maxTailRows = 8;

/** Columns and rows of each buffer. */
export function scratchShapes(spec: ModelSpec, maxRows: number) {
  const widest = (width: (block: BlockSpec) => number): number => Math.max(...spec.blocks.map(width));
  const mixers = (column: keyof MixerColumns): number => widest(({ mixer }) => mixerColumns(mixer)[column]);
  const rows = (columns: number, count = maxRows) => ({ columns, count });
  return {
    tokens: rows(1),
    hidden: rows(spec.hiddenSize),
    normed: rows(spec.hiddenSize),
    branch: rows(spec.hiddenSize),
    projections: rows(mixers('projections')),
    queries: rows(mixers('vectors')),
    gates: rows(mixers('gates')),
    mixed: rows(mixers('mixed')),
    gateUp: rows(2 * widest(({ feedForward }) => (feedForward.kind === 'channel mix' ? 0 : gatedColumns(feedForward)))),
    gated: rows(widest(({ feedForward }) => gatedColumns(feedForward))),
    tail: rows(spec.hiddenSize, maxTailRows),
    tailNormed: rows(spec.hiddenSize, maxTailRows),
    logits: rows(spec.vocabularySize, maxTailRows),
  };
}

type MixerColumns = ReturnType<typeof linearColumns>;

function mixerColumns(mixer: MixerSpec): MixerColumns {
  if (mixer.kind === 'linear') return linearColumns(mixer);
  const heads = mixer.heads * mixer.headDim;
  return { projections: heads + 2 * mixer.kvHeads * mixer.headDim, vectors: heads, gates: mixer.kind === 'sparse' ? 3 * mixer.heads : mixer.gatedQueries ? heads : 0, mixed: heads };
}

/** Gated numbers of a row, or keys of a channel mix: of all experts that it goes through, or of the shared one, which comes after them. */
function gatedColumns(spec: FeedForwardSpec): number {
  return spec.kind !== 'experts' ? spec.width : Math.max(spec.chosen * spec.width, spec.shared?.width ?? 0);
}

/** What models with experts need besides. */
export function expertShapes(spec: ModelSpec, maxRows: number) {
  const specs = spec.blocks.map(({ feedForward }) => feedForward).filter((one) => one.kind === 'experts');
  if (specs.length === 0) return null;
  const widest = (size: (one: ExpertsSpec) => number): number => Math.max(...specs.map(size));
  const chosen = widest((one) => one.chosen);
  const rows = (columns: number, count = maxRows) => ({ columns, count });
  return {
    routerLogits: rows(widest(({ experts }) => experts + 1)),
    choice: rows(chosen),
    shares: rows(chosen + 1),
    order: rows(chosen),
    tiles: rows(4, widest((one) => tileCount(maxRows, one, smallestTileRows))),
    branches: rows(chosen * spec.hiddenSize),
    shared: rows(spec.hiddenSize),
  };
}

/** What RWKV needs besides. */
export function rwkvShapes(spec: ModelSpec, maxRows: number) {
  const mixers = spec.blocks.map(({ mixer }) => mixer).filter((mixer) => mixer.kind === 'linear' && mixer.mechanism === 'rwkv');
  if (mixers.length === 0) return null;
  const columns = Math.max(...mixers.map(({ heads, headDim }) => heads * headDim));
  const rows = (count: number) => ({ columns: count, count: maxRows });
  return {
    shifted: rows(rwkvMixes * columns),
    low: rows(Math.max(...mixers.map(({ rank }) => rank))),
    decays: rows(columns),
    erasers: rows(2 * columns),
    firstValues: rows(columns),
  };
}

/** What evicting layers need besides. */
export function evictingShapes(spec: ModelSpec, maxRows: number) {
  const mixers = spec.blocks.map(({ mixer }) => mixer).filter((mixer) => mixer.kind === 'evicting');
  if (mixers.length === 0) return null;
  const widest = (columns: (mixer: (typeof mixers)[number]) => number, count = maxRows) => ({ columns: Math.max(...mixers.map(columns)), count });
  const judged = widest(({ kvHeads, router }) => kvHeads * Math.max(...router.convolutions.map(({ outputs }) => outputs)));
  return {
    keys: widest(({ kvHeads, headDim }) => kvHeads * headDim),
    values: widest(({ kvHeads, headDim }) => kvHeads * headDim),
    judged,
    judgedNext: judged,
    scores: widest(({ kvHeads }) => kvHeads),
    until: widest((mixer) => mixer.kvHeads * (evictingSlots(mixer) + maxRows), 1),
    sources: widest((mixer) => mixer.kvHeads * evictingSlots(mixer), 1),
  };
}

/** What sparse layers need besides, in a context of so many tokens. */
export function sparseShapes(spec: ModelSpec, maxRows: number, contextTokens: number) {
  const mixers = spec.blocks.map(({ mixer }) => mixer).filter((mixer) => mixer.kind === 'sparse');
  if (mixers.length === 0) return null;
  const widest = (columns: (mixer: (typeof mixers)[number]) => number) => ({ columns: Math.max(...mixers.map(columns)), count: maxRows });
  return {
    importance: widest(({ kvHeads, blockTokens }) => kvHeads * Math.ceil(contextTokens / blockTokens)),
    chosen: widest(({ kvHeads, chosenBlocks }) => kvHeads * chosenBlocks),
  };
}

export function scratchBytes(spec: ModelSpec, maxRows: number, contextTokens: number): number {
  return Object.values({ ...scratchShapes(spec, maxRows), ...expertShapes(spec, maxRows), ...rwkvShapes(spec, maxRows) }).concat(Object.values(evictingShapes(spec, maxRows) ?? {}), Object.values(sparseShapes(spec, maxRows, contextTokens) ?? {})).reduce((sum, { columns, count }) => sum + 4 * columns * count, 0);
}
