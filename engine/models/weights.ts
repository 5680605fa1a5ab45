/** Puts a model's tensors on the GPU, still quantised, as they are read. */
import type { Device } from '../device/device.ts';
import { cancelled } from '../errors.ts';
import type { GgufFile } from '../formats/gguf/readGguf.ts';
import { dequantise } from '../formats/quantisation/dequantise.ts';
import { sizeInBytes } from '../formats/quantisation/tensorTypes.ts';
import { blockWeights } from '../layers/linear/format.ts';
import type { LinearKernels, LinearWeights } from '../layers/linear/linear.ts';
import type { StoredMatrix } from '../layers/linear/matrix.ts';
import { splitRows } from '../layers/linear/splitRows.ts';
import type { EvictingSpec, RouterSpec } from './evictingSpec.ts';
import type { LinearSpec, TensorShape } from './linearSpec.ts';
import type { SparseSpec } from './sparseSpec.ts';
import { type AttentionSpec, biasOf, type ChannelMixSpec, type ExpertsSpec, type GatedSpec, type ModelSpec } from './spec.ts';

export interface LoadOptions {
  signal?: AbortSignal;
  /** Bytes of tensor data read so far, and all of them. */
  onProgress?: (doneBytes: number, totalBytes: number) => void;
}

export interface AttentionWeights {
  /** Rows: all queries, then all keys, then all values. */
  queryKeyValue: LinearWeights;
  /** Added to the projections, in their order. */
  biases: GPUBuffer | null;
  /** What the output is gated by, when it is. */
  outputGate: LinearWeights | null;
  queryNorm: GPUBuffer | null;
  /** [headDim]: the same gains, for what they say about queries. */
  queryGains: Float32Array | null;
  keyNorm: GPUBuffer | null;
  output: LinearWeights;
  /** Of `sparse` layers: a gate for each of a head's three attentions. */
  branchGates: LinearWeights | null;
  /** Of `evicting` layers. */
  router: RouterWeights | null;
}

export interface RouterWeights {
  convolutions: readonly { weight: GPUBuffer; bias: GPUBuffer }[];
  score: { weight: GPUBuffer; bias: GPUBuffer };
}

/** The tensors of a `linear` layer under the names that its description gives them. */
export interface StateWeights<Spec extends LinearSpec = LinearSpec> {
  matrices: Record<keyof Spec['tensors']['matrices'], LinearWeights> & { output: LinearWeights };
  vectors: Record<keyof Spec['tensors']['vectors'], GPUBuffer>;
}

/** Of a norm; the bias of a layer norm. */
export interface NormWeights {
  gain: GPUBuffer;
  bias: GPUBuffer | null;
}

export interface BlockWeights {
  mixerNorm: NormWeights;
  mixerPostNorm: NormWeights | null;
  mixer: AttentionWeights | StateWeights;
  feedForwardNorm: NormWeights;
  feedForwardPostNorm: NormWeights | null;
  feedForward: GatedWeights | ExpertsWeights | ChannelMixWeights;
}

export interface ChannelMixWeights {
  kind: 'channel mix';
  shift: GPUBuffer;
  key: LinearWeights;
  value: LinearWeights;
}

export interface GatedWeights {
  kind: 'gated';
  /** Rows: the gate, then up. */
  gateUp: LinearWeights;
  down: LinearWeights;
}

export interface ExpertsWeights {
  kind: 'experts';
  /** Rows: a logit for each expert, then the shared expert's gate, if it has one. */
  router: LinearWeights;
  /** Rows of each expert one after another: its gate and up in one matrix, or in one each. */
  gateUp: readonly LinearWeights[];
  down: LinearWeights;
  shared: GatedWeights | null;
}

export interface ModelWeights {
  embedding: LinearWeights;
  /** The embedding itself when the model ties them. */
  output: LinearWeights;
  embeddingNorm: NormWeights | null;
  outputNorm: NormWeights;
  blocks: readonly BlockWeights[];
}

/** Uploads everything a description names. On failure or cancellation the caller frees what has been allocated. */
export async function loadWeights(
  device: Device,
  kernels: LinearKernels,
  file: GgufFile,
  spec: ModelSpec,
  options: LoadOptions = {},
): Promise<ModelWeights> {
  const reader = new TensorReader(file, options);
  reader.readVectorsAhead();
  const linear = (...names: string[]): Promise<LinearWeights> => kernels.upload(names.join('+'), names.map((name) => reader.matrix(name)));
  const place = (name: string, values: Float32Array<ArrayBuffer>): GPUBuffer => {
    const buffer = device.memory.storage('weights', name, values.byteLength);
    device.gpu.queue.writeBuffer(buffer, 0, values);
    return buffer;
  };
  /** One after another. */
  const vector = async (...names: string[]): Promise<GPUBuffer> => {
    const values: number[] = [];
    for (const name of names) values.push(...(await reader.vector(name)));
    return place(names.join('+'), Float32Array.from(values));
  };
  const optional = async (name: string | null): Promise<GPUBuffer | null> => (name ? vector(name) : null);

  const routerWeights = async ({ convolutions, score }: RouterSpec): Promise<RouterWeights> => {
    const layer = async ({ weight, bias }: Record<'weight' | 'bias', TensorShape>) => ({ weight: await vector(weight.name), bias: await vector(bias.name) });
    const layers = [];
    for (const one of convolutions) layers.push(await layer(one));
    return { convolutions: layers, score: await layer(score) };
  };
  const attention = async (mixer: AttentionSpec | SparseSpec | EvictingSpec): Promise<AttentionWeights> => {
    const { tensors, headDim, gatedQueries } = mixer;
    const projections = tensors.projections.map((name) => reader.matrix(name));
    const queryGains = tensors.queryNorm ? Float32Array.from(await reader.vector(tensors.queryNorm)) : null;
    const [queries, gates] = gatedQueries ? splitRows(projections[0], headDim) : [projections[0], null];
    return {
      queryKeyValue: await kernels.upload(tensors.projections.join('+'), [queries, ...projections.slice(1)]),
      biases: tensors.biases.length > 0 ? await vector(...tensors.biases) : null,
      outputGate: gates && (await kernels.upload(`${tensors.projections[0]} gates`, [gates])),
      queryNorm: queryGains && tensors.queryNorm ? place(tensors.queryNorm, queryGains) : null,
      queryGains,
      keyNorm: await optional(tensors.keyNorm),
      output: await linear(tensors.output),
      branchGates: mixer.kind === 'sparse' ? await linear(mixer.gates.name) : null,
      router: mixer.kind === 'evicting' ? await routerWeights(mixer.router) : null,
    };
  };
  const state = async (mixer: LinearSpec): Promise<StateWeights> => {
    const matrices: [string, LinearWeights][] = [];
    for (const [key, stack] of Object.entries(mixer.tensors.matrices)) matrices.push([key, await linear(...stack.map(({ name }) => name))]);
    const vectors: [string, GPUBuffer][] = [];
    for (const [key, { name }] of Object.entries(mixer.tensors.vectors)) vectors.push([key, await vector(name)]);
    return { matrices: Object.fromEntries(matrices), vectors: Object.fromEntries(vectors) } as StateWeights;
  };
  const embedding = await linear(spec.embedding.tensor);
  const output = spec.outputTensor === spec.embedding.tensor ? embedding : await linear(spec.outputTensor);
  const scaled = async (name: string, scale: number): Promise<GPUBuffer> => place(name, (await reader.vector(name)).map((weight) => weight * scale));
  const norm = async (name: string, scale = 1): Promise<NormWeights> => ({
    gain: await scaled(name, scale),
    bias: spec.normKind === 'layer' ? await scaled(biasOf(name), scale) : null,
  });
  const optionalNorm = async (name: string | null): Promise<NormWeights | null> => (name ? norm(name) : null);
  const channelMix = async ({ shift, key, value }: ChannelMixSpec['tensors']): Promise<ChannelMixWeights> => ({
    kind: 'channel mix',
    shift: await vector(shift),
    key: await linear(key),
    value: await linear(value),
  });
  const embeddingNorm = await optionalNorm(spec.embedding.norm);
  // The logits are linear in the last norm's weights.
  const outputNorm = await norm(spec.outputNorm, spec.logitScale);
  const blocks: BlockWeights[] = [];
  for (const { mixer, feedForward, ...norms } of spec.blocks) {
    blocks.push({
      mixerNorm: await norm(norms.mixerNorm),
      mixerPostNorm: await optionalNorm(norms.mixerPostNorm),
      mixer: mixer.kind === 'linear' ? await state(mixer) : await attention(mixer),
      feedForwardNorm: await norm(norms.feedForwardNorm),
      feedForwardPostNorm: await optionalNorm(norms.feedForwardPostNorm),
      feedForward: feedForward.kind === 'channel mix' ? await channelMix(feedForward.tensors) : await feedForwardWeights(feedForward, linear),
    });
  }
  return { embedding, embeddingNorm, output, outputNorm, blocks };
}

type UploadMatrix = (...names: string[]) => Promise<LinearWeights>;

async function feedForwardWeights(spec: GatedSpec | ExpertsSpec, linear: UploadMatrix): Promise<GatedWeights | ExpertsWeights> {
  if (spec.kind === 'gated') return gatedWeights(spec.tensors, linear);
  const { tensors, shared } = spec;
  const gateUp: LinearWeights[] = [];
  for (const name of tensors.gateUp) gateUp.push(await linear(name));
  return {
    kind: 'experts',
    router: await linear(tensors.router, ...(shared?.tensors.gate ? [shared.tensors.gate] : [])),
    gateUp,
    down: await linear(tensors.down),
    shared: shared && (await gatedWeights(shared.tensors, linear)),
  };
}

async function gatedWeights({ gateUp, down }: GatedSpec['tensors'], linear: UploadMatrix): Promise<GatedWeights> {
  return { kind: 'gated', gateUp: await linear(...gateUp), down: await linear(down) };
}

/** Longer ones are read when they are wanted. */
const vectorBytes = 1024 * 1024;

/** Reads tensors, with progress and cancellation. */
export class TensorReader {
  readonly #file: GgufFile;
  readonly #options: LoadOptions;
  readonly #totalBytes: number;
  readonly #ahead = new Map<string, Promise<Uint8Array>>();
  #doneBytes = 0;

  constructor(file: GgufFile, options: LoadOptions = {}) {
    this.#file = file;
    this.#options = options;
    this.#totalBytes = [...file.tensors.values()].reduce((sum, tensor) => sum + tensor.sizeBytes, 0);
  }

  /** Further dimensions, such as a tensor's experts, follow one another as rows. Nothing is read before its rows are. */
  matrix(name: string): StoredMatrix {
    const { type, dims, offsetBytes } = this.#tensor(name);
    const [columns, ...outer] = dims;
    const rowBytes = sizeInBytes(type, columns);
    return {
      kind: 'stored',
      type,
      rows: outer.reduce((a, b) => a * b, 1),
      columns,
      readRows: (firstRow, target) => this.#read(offsetBytes + firstRow * rowBytes, target),
    };
  }

  /** Begins to read all vectors, and the few taps of convolutions: each would wait behind the matrices on their way. */
  readVectorsAhead(): void {
    for (const [name, { dims, sizeBytes }] of this.#file.tensors) {
      if ((dims.length > 1 && dims[0] >= blockWeights) || sizeBytes > vectorBytes) continue;
      const bytes = this.#bytes(name);
      // Whoever asks for it hears of a failure.
      bytes.catch(() => undefined);
      this.#ahead.set(name, bytes);
    }
  }

  async vector(name: string): Promise<Float32Array<ArrayBuffer>> {
    const { type, dims } = this.#tensor(name);
    const bytes = await (this.#ahead.get(name) ?? this.#bytes(name));
    return dequantise(type, bytes, dims.reduce((a, b) => a * b, 1)) as Float32Array<ArrayBuffer>;
  }

  async #bytes(name: string): Promise<Uint8Array> {
    const { offsetBytes, sizeBytes } = this.#tensor(name);
    const bytes = new Uint8Array(sizeBytes);
    await this.#read(offsetBytes, bytes);
    return bytes;
  }

  #tensor(name: string) {
    const tensor = this.#file.tensors.get(name);
    if (!tensor) throw new Error(`checkTensors let a missing tensor through: ${name}`);
    return tensor;
  }

  async #read(offsetBytes: number, target: Uint8Array): Promise<void> {
    const { signal, onProgress } = this.#options;
    if (signal?.aborted) throw cancelled();
    const { source } = this.#file;
    if (source.readInto) await source.readInto(offsetBytes, target);
    else target.set(await source.read(offsetBytes, target.length));
    // What has to be read once more counts once.
    this.#doneBytes = Math.min(this.#doneBytes + target.length, this.#totalBytes);
    onProgress?.(this.#doneBytes, this.#totalBytes);
  }
}
