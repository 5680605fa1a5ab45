/** Decoding on GPUs: the keys are split among many workgroups, and lanes share every key (attention_split.wgsl). */
import splitText from '../../../shaders/attention_split.wgsl';
import aloneText from '../../../shaders/attention_split_alone.wgsl';
import type { Device } from '../../device/device.ts';
import { attentionSource, type AttentionVariant, type KeysRead } from './variants.ts';

export interface SplitShape {
  /** Invocations of a workgroup. */
  threads: number;
  /** Lanes that share a key at most. */
  spread: number;
  /** Keys of a team of such lanes that are loaded at once. */
  keys: number;
  /** Query heads that share a key at most. */
  heads: number;
  /** Workgroups that keep the adapter busy. */
  workgroups: number;
}

/** The most promising first. */
const shapes: readonly SplitShape[] = [
  { threads: 128, spread: 32, keys: 4, heads: 4, workgroups: 1024 },
  { threads: 128, spread: 32, keys: 4, heads: 4, workgroups: 512 },
  { threads: 128, spread: 8, keys: 2, heads: 4, workgroups: 1024 },
  { threads: 256, spread: 32, keys: 2, heads: 4, workgroups: 512 },
];

/**
 * What a measurement at length tries besides (bench/partTimes.ts), for the few keys of a split while decoding beyond the
 * GPU: how often one waits for loads decides, and how many sums cross lanes. With fewer lanes to a key each loads more of
 * it at once, and scores cross lanes in fewer rounds; of 8-bit keys of 128 dimensions each of 32 lanes loads but 4 bytes.
 */
export const sweptShapes: readonly SplitShape[] = [
  // More on its way at once: a split's keys in one or two rounds.
  { threads: 128, spread: 4, keys: 2, heads: 4, workgroups: 1024 },
  { threads: 128, spread: 4, keys: 4, heads: 4, workgroups: 1024 },
  { threads: 128, spread: 8, keys: 4, heads: 4, workgroups: 1024 },
  { threads: 128, spread: 8, keys: 8, heads: 4, workgroups: 1024 },
  { threads: 128, spread: 16, keys: 4, heads: 4, workgroups: 1024 },
  { threads: 128, spread: 32, keys: 8, heads: 4, workgroups: 1024 },
  // Smaller workgroups: less to merge at their end, and finer shares of the cores.
  { threads: 64, spread: 32, keys: 4, heads: 4, workgroups: 1024 },
  { threads: 64, spread: 8, keys: 2, heads: 4, workgroups: 1024 },
  { threads: 64, spread: 8, keys: 4, heads: 4, workgroups: 1024 },
  { threads: 64, spread: 16, keys: 4, heads: 4, workgroups: 1024 },
  // A lone subgroup has nobody to wait for.
  { threads: 32, spread: 8, keys: 4, heads: 4, workgroups: 1024 },
  { threads: 32, spread: 16, keys: 8, heads: 4, workgroups: 1024 },
  // Larger ones: all the keys of a split at once.
  { threads: 256, spread: 8, keys: 2, heads: 4, workgroups: 512 },
  { threads: 256, spread: 16, keys: 4, heads: 4, workgroups: 512 },
  // Half of the sums in registers leaves room for more subgroups of a core; every key is loaded twice.
  { threads: 128, spread: 8, keys: 4, heads: 2, workgroups: 1024 },
];

/** Fewer are not worth a workgroup. */
const leastKeys = 64;

/** None for adapters whose subgroups are of unknown size. */
export function splitVariants(device: Device, keys: KeysRead, among = shapes): AttentionVariant[] {
  const { subgroupLanes: lanes, limits } = device.facts;
  if (lanes === 0) return [];
  const fits = (shape: SplitShape): boolean => shape.threads % lanes === 0 && workgroupBytes(lanes, keys, shape) <= limits.maxComputeWorkgroupStorageSize;
  return among.filter(fits).map((shape) => splitVariant(device, keys, shape));
}

/** Query heads that share one pass over the keys: evenly many a tile. */
function headsAtOnce(group: number, most: number): number {
  return Math.ceil(group / Math.ceil(group / most));
}

function workgroupBytes(lanes: number, { heads, kvHeads, headDim }: KeysRead, { threads, heads: most }: SplitShape): number {
  return (threads / lanes) * headsAtOnce(heads / kvHeads, most) * (4 * headDim + 8);
}

function splitVariant(device: Device, keys: KeysRead, shape: SplitShape): AttentionVariant {
  const { format, headDim } = keys;
  const lanes = device.facts.subgroupLanes;
  const parts = format === 'f16' ? 2 : 1;
  const units = headDim / 4 / parts;
  // A power of two, because teams add up in halves.
  const spread = Math.min(shape.spread, lanes, 2 ** Math.ceil(Math.log2(units)));
  const loads = Math.ceil(units / spread);
  const heads = headsAtOnce(keys.heads / keys.kvHeads, shape.heads);
  const { threads, workgroups } = shape;
  const body = attentionSource(keys, {
    label: 'attention_split',
    text: splitText,
    wide: true,
    enables: ['subgroups'],
    constants: {
      THREADS: threads,
      LANES: lanes,
      SUBGROUPS: threads / lanes,
      SPREAD: spread,
      KEYS: shape.keys,
      HEADS: heads,
      UNITS: units,
      LOADS: loads,
      EVEN: units === loads * spread,
      PARTS: parts,
      QUADS: units * parts,
    },
  });
  return {
    // Of what is asked for, so that it is the same for keys of every format.
    name: `attention_split, ${threads} threads, ${shape.spread} lanes and ${shape.heads} heads a key at most, ${shape.keys} keys, ${workgroups} workgroups`,
    queriesAtOnce: heads,
    splits: { workgroups, keys: leastKeys },
    kernel: () => device.kernels.get({ ...body, texts: [...body.texts, aloneText] }),
    body,
  };
}
