/** Softmax attention over everything (`full`) or over the last tokens (`sliding`), with its KV cache. */
import type { Device } from '../../device/device.ts';
import { KvCache } from '../../kv/cache.ts';
import type { AttentionSpec } from '../../models/spec.ts';
import type { AttentionWeights } from '../../models/weights.ts';
import { bindAttention } from '../attention/attention.ts';
import { type KvLayout, kvBytesPerValue } from '../attention/layout.ts';
import type { Mixer } from '../mixer.ts';
import { attentionWork, type Part, part, rowWork } from '../part.ts';
import { bindResidentReading, type ResidentReading } from '../sparseReading/residentReading.ts';
import type { Bound } from '../pointwise/bound.ts';
import { bindStoring } from './storeVectors.ts';

export interface AttentionInputs {
  /** [rows][(heads + 2·kvHeads)·headDim]: queries, keys, values as projected. */
  projections: GPUBuffer;
  /** [rows][heads·headDim], scratch. */
  queries: GPUBuffer;
  /** [rows][heads·headDim], the result. */
  mixed: GPUBuffer;
  angles: GPUBuffer;
  step: GPUBuffer;
  /** Follow the rotation of the queries: whoever looks at them. */
  watch?: readonly Part[];
  maxRows: number;
  contextTokens: number;
  normEpsilon: number;
  /** For layers that see everything: how documents are read beyond some length. */
  reading?: ResidentReading | null;
}

/** Tokens that a sliding layer can give back without reading again: a long answer, regenerated. */
export const ringSlackTokens = 1024;

/** Allocates the layer's cache; apart from binding, so that all caches are allocated inside one memory check. */
export function reserveKvCache(
  device: Device,
  label: string,
  spec: AttentionSpec,
  { maxRows, contextTokens, kvFormat, slackTokens }: { maxRows: number; contextTokens: number; kvFormat: KvLayout['format']; slackTokens: number },
): KvCache {
  const { kvHeads, headDim, windowTokens } = spec;
  const ringSlots = (windowTokens ?? contextTokens) + maxRows + slackTokens;
  const capacitySlots = windowTokens === null ? contextTokens : Math.min(contextTokens, ringSlots);
  return new KvCache(device, label, { format: kvFormat, kvHeads, headDim, capacitySlots }, windowTokens);
}

export async function createAttentionMixer(
  device: Device,
  spec: AttentionSpec,
  weights: AttentionWeights,
  cache: KvCache,
  inputs: AttentionInputs,
): Promise<Mixer> {
  const { maxRows, contextTokens, step } = inputs;
  const { layout } = cache;
  const storing = bindStoring(device, spec, weights, cache, inputs);
  const attending = bindAttention(device, {
    queries: inputs.queries,
    keys: cache.keys,
    values: cache.values,
    output: inputs.mixed,
    layout,
    heads: spec.heads,
    window: spec.windowTokens,
    step,
    maxRows,
    contextTokens,
  });
  const reading = inputs.reading && spec.windowTokens === null ? bindResidentReading(device, inputs.reading, { ...spec, queries: inputs.queries, output: inputs.mixed, cache }) : null;
  const [store, dense, sparse] = await Promise.all([storing, attending, reading]);
  const attend: Bound = {
    encode(pass, now) {
      cache.keyMeans.noteStep(now.position - (now.removed ?? 0));
      if (sparse && now.sparse && now.rows > 1) sparse.encode(pass, now);
      else dense.encode(pass, now);
    },
  };
  return {
    parts: [
      part('rotary and store', store, rowWork(2 * (spec.heads + 2 * spec.kvHeads) * spec.headDim)),
      ...(inputs.watch ?? []),
      part('attention', attend, attentionWork({ ...layout, heads: spec.heads, window: spec.windowTokens, bytesPerValue: kvBytesPerValue(layout.format) })),
    ],
    canTruncate: (length, written) => cache.canTruncate(length, written),
    checkpoint: (encoder) => cache.checkpoint(encoder),
    free: () => {
      sparse?.free();
      cache.free();
    },
  };
}
