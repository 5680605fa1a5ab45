/**
 * Makes what a runner runs: buffers, caches and the kernels of all layers, bound once from a model's description and weights.
 */
import { ChunkReader } from './chunkReader.ts';
import type { Device } from './device/device.ts';
import { HeadWatch } from './inspect/headWatch.ts';
import { QueryTap } from './inspect/queryTap.ts';
import type { KvCache } from './kv/cache.ts';
import { SparseCache } from './kv/sparseCache.ts';
import { FarContext } from './kv/tiers/farContext.ts';
import type { GraphOptions } from './retrieval/graph/graphIndex.ts';
import { FarMemory } from './kv/tiers/farLayer.ts';
import { FarScratch } from './kv/tiers/farScratch.ts';
import type { FarStore } from './kv/tiers/farStore.ts';
import { fullLayers, type TierPlan } from './kv/tiers/plan.ts';
import { createExperts, type ExpertBuffers } from './layers/experts/experts.ts';
import type { LinearKernels, LinearWeights } from './layers/linear/linear.ts';
import { chooseKvFormat, type KvLayout } from './layers/attention/layout.ts';
import { type AttentionInputs, createAttentionMixer, reserveKvCache, ringSlackTokens } from './layers/mixers/attentionMixer.ts';
import { createEvictingMixer } from './layers/mixers/evictingMixer.ts';
import { createFarMixer } from './layers/mixers/farMixer.ts';
import { createSparseMixer } from './layers/mixers/sparseMixer.ts';
import { createLinearMixer } from './layers/mixers/linearMixer.ts';
import type { RwkvBuffers } from './layers/mixers/linearInputs.ts';
import { bindChannelMix } from './layers/mixers/rwkvMixer.ts';
import type { Mixer } from './layers/mixer.ts';
import { bindNormedProduct, type NormedProduct } from './layers/normedProduct.ts';
import { aloneOrApart, type Part, part, productWork, rowWork } from './layers/part.ts';
import { bindSigmoidGate } from './layers/pointwise/gated.ts';
import { bindNormalise } from './layers/pointwise/normalise.ts';
import { StateCache } from './layers/recurrent/stateCache.ts';
import { divisorsFor, RotaryAngles, rotaryKey } from './layers/rotary.ts';
import type { Team } from './layers/team/team.ts';
import { bindTeamBlock, createTeamFor } from './layers/team/teamBlocks.ts';
import { ResidentReading } from './layers/sparseReading/residentReading.ts';
import { readingWithin, type SparseReading } from './layers/sparseReading/sparseReading.ts';
import { StepUniform } from './layers/step.ts';
import type { EvictingBuffers } from './layers/evicting/eviction.ts';
import type { SparseBuffers } from './layers/sparse/sparse.ts';
import type { SparseSpec } from './models/sparseSpec.ts';
import type { EvictingSpec } from './models/evictingSpec.ts';
import type { LinearSpec } from './models/linearSpec.ts';
import { type AttentionSpec, type BlockSpec, keepsState, type ModelSpec } from './models/spec.ts';
import { evictingShapes, expertShapes, maxTailRows, rwkvShapes, scratchShapes, sparseShapes } from './scratch.ts';
import type { AttentionWeights, BlockWeights, ModelWeights, NormWeights, StateWeights } from './models/weights.ts';

export interface RunnerOptions {
  contextTokens: number;
  /** Most tokens that pass through the layers at once; sizes the activations. */
  maxRows: number;
  /** Values of the rotary divisor tensors, by name. */
  divisors: ReadonlyMap<string, Float32Array>;
  /** Of keys and values on the GPU; left out, what suits the adapter. */
  kvFormat?: KvLayout['format'];
  /** Documents are read so beyond some length; left out or null, everything is attended to. */
  sparseReading?: SparseReading | null;
  /** Spreads the keys and values of layers that see everything over GPU, RAM and disk; else all are on the GPU. */
  tiers?: { plan: TierPlan; store: FarStore; graphs?: GraphOptions | null } | null;
}

/** What a block keeps of the tokens it has seen. */
export type LayerCache = KvCache | FarMemory | StateCache;

export interface RunnerParts {
  device: Device;
  spec: ModelSpec;
  options: RunnerOptions;
  buffers: Record<keyof ReturnType<typeof scratchShapes>, GPUBuffer>;
  experts: ExpertBuffers | null;
  rwkv: RwkvBuffers | null;
  team: Team | null;
  dismissTeams: () => void;
  evicting: EvictingBuffers | null;
  sparse: SparseBuffers | null;
  step: StepUniform;
  tailStep: StepUniform;
  angles: RotaryAngles[];
  mixers: Mixer[];
  caches: LayerCache[];
  far: FarContext | null;
  /** Of layers whose keys and values are all on the GPU. */
  reading: ResidentReading | null;
  tap: QueryTap;
  watch: HeadWatch;
  chunks: ChunkReader | null;
  layers: Part[];
  head: Part[];
}

export async function buildRunner(device: Device, kernels: LinearKernels, spec: ModelSpec, weights: ModelWeights, options: RunnerOptions): Promise<RunnerParts> {
  const { maxRows, contextTokens } = options;
  const { buffers, experts, rwkv, evicting, sparse } = await device.memory.checked('Room for the activations', () => ({
    buffers: allocateShapes(device, scratchShapes(spec, maxRows)),
    experts: allocateShapes(device, expertShapes(spec, maxRows)),
    rwkv: allocateShapes(device, rwkvShapes(spec, maxRows)),
    evicting: allocateShapes(device, evictingShapes(spec, maxRows)),
    sparse: allocateShapes(device, sparseShapes(spec, maxRows, contextTokens)),
  }));
  const stepUniform = new StepUniform(device);
  const tailStep = new StepUniform(device);
  const step = stepUniform.buffer;
  const angles = new Map<string, RotaryAngles>();
  const kvFormat = options.kvFormat ?? chooseKvFormat(device);
  const tiers = options.tiers ?? null;
  const farLayers = new Set(tiers ? fullLayers(spec).map(({ index }) => index) : []);
  // Rings of sliding layers count too: with a budget they hold no more than going back one answer needs.
  const slackTokens = tiers ? tiers.plan.layout.segmentTokens : ringSlackTokens;
  const { caches, scratch, reading } = await device.memory.checked(`The KV cache for ${contextTokens} tokens`, () => ({
    caches: spec.blocks.map(({ mixer }, index): LayerCache => {
      if (keepsState(mixer)) return new StateCache(device, `layer ${index}`, mixer);
      if (mixer.kind === 'sparse') return new SparseCache(device, `layer ${index}`, mixer, contextTokens);
      return tiers && farLayers.has(index)
        ? new FarMemory(device, `layer ${index}`, tiers.plan)
        : reserveKvCache(device, `layer ${index}`, mixer, { maxRows, contextTokens, kvFormat, slackTokens });
    }),
    scratch: tiers ? new FarScratch(device, tiers.plan) : null,
    reading: tiers ? null : residentReading(device, spec, readingWithin(options.sparseReading, contextTokens), options, kvFormat),
  }));
  const far = tiers && scratch ? new FarContext(device, tiers.plan, scratch, tiers.store, { graphs: tiers.graphs, sparseReading: tiers.plan.keyMeans ? readingWithin(options.sparseReading, contextTokens) : null }) : null;
  const tap = new QueryTap(device);
  const watch = new HeadWatch(device);
  const team = createTeamFor(device, spec, kernels.teamMembers);
  const mixers: Mixer[] = [];
  const embedded = weights.embeddingNorm ? buffers.branch : buffers.hidden;
  const embedding = await kernels.bindEmbedding(weights.embedding, { tokens: buffers.tokens, output: embedded, step, scale: spec.embedding.scale / spec.residualScale });
  const layers: Part[] = [part('embedding', embedding, rowWork(2 * spec.hiddenSize))];
  // The hidden state is kept divided by residualScale, so that blocks add what they make as it is. Norms undo the
  // division, as long as epsilon is divided too.
  const common = { step, maxRows, columns: spec.hiddenSize, epsilon: spec.normEpsilon / spec.residualScale ** 2 };

  const norm = async (name: string, input: GPUBuffer, { gain: weight, bias }: NormWeights, output: GPUBuffer, add = false): Promise<Part> =>
    part(name, await bindNormalise(device, { ...common, input, weight, bias, output, add }), rowWork((add ? 3 : 2) * spec.hiddenSize));
  if (weights.embeddingNorm) layers.push(await norm('norms', embedded, weights.embeddingNorm, buffers.hidden));
  const product = async (name: string, matrix: LinearWeights, input: GPUBuffer, output: GPUBuffer, accumulate = false): Promise<Part> =>
    part(name, await kernels.bind(matrix, { input, output, step, maxRows, accumulate }), productWork(matrix));
  const normedProduct = (name: string, matrix: LinearWeights, own: NormWeights, output: GPUBuffer, gate?: NormedProduct['gate']): Promise<Part[]> =>
    bindNormedProduct(device, kernels, { ...common, name, weights: matrix, source: buffers.hidden, ...own, normed: buffers.normed, output, gate });

  /** hidden += postNorm(W · input), with or without a post norm. */
  const addToHidden = async (name: string, matrix: LinearWeights, input: GPUBuffer, postNorm: NormWeights | null): Promise<Part[]> => {
    if (!postNorm) return [await product(name, matrix, input, buffers.hidden, true)];
    return [await product(name, matrix, input, buffers.branch), await norm('norms', buffers.branch, postNorm, buffers.hidden, true)];
  };

  const anglesOf = (mixer: Pick<AttentionSpec, 'rotary'>): GPUBuffer => {
    const key = rotaryKey(mixer.rotary);
    const table = angles.get(key) ?? new RotaryAngles(device, mixer.rotary, divisorsOf(mixer, options), { maxRows, maxChunkRows: tiers?.plan.maxChunkRows ?? maxRows });
    angles.set(key, table);
    return table.buffer;
  };

  /** Parts from the hidden rows to the mixed ones. */
  const bindAttention = async (layer: number, mixer: AttentionSpec | SparseSpec | EvictingSpec, parts: AttentionWeights, mixerNorm: NormWeights): Promise<Part[]> => {
    const cache = caches[layer];
    const { heads, headDim } = mixer;
    const stepOfLayer = mixer.windowTokens === null || mixer.kind === 'evicting' ? step : stepUniform.whole;
    const inputs: AttentionInputs = {
      projections: buffers.projections,
      queries: buffers.queries,
      mixed: buffers.mixed,
      angles: anglesOf(mixer),
      step: stepOfLayer,
      watch: [
        tap.part({ queries: buffers.queries, width: heads * headDim, step: stepOfLayer }),
        watch.part({ layer, queries: buffers.queries, originUnits: 0, rowUnits: (heads * headDim) / 4, headDim, step: stepOfLayer }),
      ],
      maxRows,
      contextTokens,
      normEpsilon: spec.normEpsilon,
      reading,
    };
    const mix = (): Promise<Mixer> => {
      if (mixer.kind === 'evicting') {
        if (!(cache instanceof StateCache) || !evicting) throw new Error('an evicting layer without its state');
        return createEvictingMixer(device, mixer, parts, cache, evicting, inputs);
      }
      if (mixer.kind === 'sparse') {
        if (!(cache instanceof SparseCache) || !sparse) throw new Error('a sparse layer without its cache');
        return createSparseMixer(device, mixer, parts, cache, sparse, { ...inputs, gates: buffers.gates });
      }
      return far && cache instanceof FarMemory ? createFarMixer(device, mixer, parts, cache, far, inputs) : createAttentionMixer(device, mixer, parts, cache as KvCache, inputs);
    };
    const [attention, projecting] = await Promise.all([
      mix(),
      parts.outputGate || parts.branchGates ? null : normedProduct('query, key, value', parts.queryKeyValue, mixerNorm, buffers.projections),
    ]);
    mixers.push(attention);
    if (parts.branchGates) {
      return [
        await norm('norms', buffers.hidden, mixerNorm, buffers.normed),
        await product('query, key, value', parts.queryKeyValue, buffers.normed, buffers.projections),
        await product('gates of branches', parts.branchGates, buffers.normed, buffers.gates),
        ...attention.parts,
      ];
    }
    if (!parts.outputGate || projecting) return [...(projecting ?? []), ...attention.parts];
    const columns = mixer.heads * mixer.headDim;
    const normed = await norm('norms', buffers.hidden, mixerNorm, buffers.normed);
    return [
      normed,
      await product('query, key, value', parts.queryKeyValue, buffers.normed, buffers.projections),
      ...attention.parts,
      // Between blocks of a chunk only the hidden rows last.
      ...(cache instanceof FarMemory ? [normed] : []),
      await product('output gate', parts.outputGate, buffers.normed, buffers.gates),
      part('output gate', await bindSigmoidGate(device, { values: buffers.mixed, gate: buffers.gates, columns }), rowWork(3 * columns)),
    ];
  };

  const bindLinear = async (mixer: LinearSpec, parts: StateWeights, mixerNorm: NormWeights, cache: StateCache): Promise<Part[]> => {
    const { normed, projections, queries: vectors, gates, mixed } = buffers;
    const linear = await createLinearMixer(device, kernels, mixer, parts, cache, { normed, projections, vectors, gates, mixed, rwkv, step, maxRows, normEpsilon: spec.normEpsilon });
    mixers.push(linear);
    return [await norm('norms', buffers.hidden, mixerNorm, normed), ...linear.parts];
  };

  const bindBlock = async (block: BlockSpec, parts: BlockWeights, index: number): Promise<void> => {
    const { mixer } = block;
    const cache = caches[index];
    const mixerOutput = 'matrices' in parts.mixer ? parts.mixer.matrices.output : parts.mixer.output;
    // At once, because the first block's kernels are compiled here.
    const inOrder = await Promise.all([
      'matrices' in parts.mixer
        ? bindLinear(mixer as LinearSpec, parts.mixer, parts.mixerNorm, cache as StateCache)
        : bindAttention(index, mixer as AttentionSpec | SparseSpec | EvictingSpec, parts.mixer, parts.mixerNorm),
      addToHidden('mixer output', mixerOutput, buffers.mixed, parts.mixerPostNorm),
      bindFeedForward(block, parts, cache),
    ]);
    const together = team && (await bindTeamBlock(device, team, block, parts, { hidden: buffers.hidden, angles: anglesOf, cache, step: stepUniform, epsilon: common.epsilon, watch: (source) => watch.part({ ...source, layer: index }) }));
    layers.push(...(together ? aloneOrApart(together, inOrder.flat(), () => !tap.listening) : inOrder.flat()));
  };
  const bindFeedForward = async ({ feedForward: description }: BlockSpec, { feedForward: own, feedForwardNorm, feedForwardPostNorm: postNorm }: BlockWeights, cache: LayerCache): Promise<Part[]> => {
    if (description.kind === 'gated' && own.kind === 'gated') {
      const inOrder = await Promise.all([
        normedProduct('gate and up', own.gateUp, feedForwardNorm, buffers.gateUp, { activation: description.activation, output: buffers.gated }),
        addToHidden('down', own.down, buffers.gated, postNorm),
      ]);
      return inOrder.flat();
    }
    if (own.kind === 'channel mix' && cache instanceof StateCache && rwkv) {
      const io = { input: buffers.normed, hidden: buffers.hidden, keys: buffers.gated, shifted: rwkv.shifted, columns: spec.hiddenSize, step, maxRows };
      return [await norm('norms', buffers.hidden, feedForwardNorm, buffers.normed), ...(await bindChannelMix(device, kernels, own, cache, io))];
    }
    if (description.kind !== 'experts' || own.kind !== 'experts' || !experts) throw new Error('the weights are not those of the description');
    const inputs = { scratch: experts, ...buffers, output: postNorm ? buffers.branch : buffers.hidden, add: !postNorm, step, maxRows };
    const branch = [await norm('norms', buffers.hidden, feedForwardNorm, buffers.normed), ...(await createExperts(device, kernels, description, own, inputs))];
    return postNorm ? [...branch, await norm('norms', buffers.branch, postNorm, buffers.hidden, true)] : branch;
  };
  for (const [index, block] of spec.blocks.entries()) await bindBlock(block, weights.blocks[index], index);

  const tail = { step: tailStep.buffer, maxRows: maxTailRows };
  const tailNorm = await bindNormalise(device, { ...common, ...tail, input: buffers.tail, weight: weights.outputNorm.gain, bias: weights.outputNorm.bias, output: buffers.tailNormed });
  const logits = await kernels.bind(weights.output, { ...tail, input: buffers.tailNormed, output: buffers.logits });
  const head = [part('norms', tailNorm, rowWork(2 * spec.hiddenSize)), part('logits', logits, productWork(weights.output))];
  const chunks = far
    ? await device.memory.checked('Room for the rows of a chunk', () => {
        const { tokens, hidden } = buffers;
        return new ChunkReader(device, { layers, far, maxRows, maxChunkRows: far.plan.maxChunkRows, hiddenSize: spec.hiddenSize, tokens, hidden, step: stepUniform, angles: [...angles.values()] });
      })
    : null;
  return { device, spec, options, buffers, experts, rwkv, evicting, sparse, team, dismissTeams: kernels.dismissTeams, chunks, step: stepUniform, tailStep, angles: [...angles.values()], mixers, caches, far, reading, tap, watch, layers, head };
}

/** null where no layer sees everything. */
function residentReading(device: Device, spec: ModelSpec, sparseReading: SparseReading | null, { contextTokens, maxRows }: RunnerOptions, format: KvLayout['format']): ResidentReading | null {
  if (!sparseReading || !spec.blocks.some(({ mixer }) => mixer.kind === 'full')) return null;
  const [{ mixer }] = fullLayers(spec);
  return new ResidentReading(device, sparseReading, { ...mixer, format }, { contextTokens, maxRows });
}

function divisorsOf({ rotary }: Pick<AttentionSpec, 'rotary'>, options: RunnerOptions): Float32Array | null {
  const name = divisorsFor(rotary, options.contextTokens);
  return name ? (options.divisors.get(name) ?? null) : null;
}

/** Scratch; null without shapes, of what a model does not need. */
function allocateShapes<Shapes extends Record<keyof Shapes, { columns: number; count: number }> | null>(device: Device, shapes: Shapes): { [Name in keyof Shapes]: GPUBuffer } {
  const named: [string, { columns: number; count: number }][] = Object.entries(shapes ?? {});
  const buffers = named.map(([name, { columns, count }]) => [name, device.memory.storage('activations', name, columns * count * 4)]);
  return (shapes && Object.fromEntries(buffers)) as { [Name in keyof Shapes]: GPUBuffer };
}
