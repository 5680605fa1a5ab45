/**
 * Chooses the next token on the GPU, so that decoding can be encoded ahead: the id goes straight to the
 * buffer that the next step's embedding reads, and a copy of 4 bytes tells the CPU later.
 */
import blocksText from '../../shaders/sample_blocks.wgsl';
import logitsText from '../../shaders/sample_logits.wgsl';
import pickText from '../../shaders/sample_pick.wgsl';
import reduceText from '../../shaders/sample_reduce.wgsl';
import type { Device } from '../device/device.ts';
import { encodeDispatch, type Kernel } from '../device/kernel.ts';
import { packUniforms } from '../device/uniforms.ts';
import { EngineError } from '../errors.ts';
import { kernelFamilies } from '../layers/pointwise/bound.ts';
import { largestNucleus, type SamplingSettings, samplingMode } from './settings.ts';

export interface SamplerShape {
  vocabularySize: number;
  maxContextTokens: number;
}

export interface SamplerBuffers {
  /** [vocabularySize] f32, at the start of the buffer. */
  logits: GPUBuffer;
  /** u32; the first entry becomes the chosen id. */
  token: GPUBuffer;
}

const blockTokens = 512;
const ringSlots = 256;
/** In the ring where the logits were not finite. */
const noToken = 0xffff_ffff;
const settingsBytes = 48;

interface SamplerKernels {
  blocks: Kernel;
  pick: Kernel;
}

interface Bindings {
  blocks: GPUBindGroup;
  pick: GPUBindGroup;
}

export class Sampler {
  readonly #device: Device;
  readonly #shape: SamplerShape;
  readonly #kernels: SamplerKernels;
  readonly #buffers: Record<'settings' | 'seen' | 'blocks' | 'candidates' | 'state' | 'history' | 'ring', GPUBuffer>;
  readonly #bindings = new Map<GPUBuffer, Map<GPUBuffer, Bindings>>();
  readonly #idleReads: GPUBuffer[] = [];
  readonly #reads: GPUBuffer[] = [];
  #chosen = 0;
  #penalises = false;
  /** What the last choices began from, in turn. */
  readonly #saved: Record<'state' | 'seen' | 'history', GPUBuffer>[] = [];

  private constructor(device: Device, shape: SamplerShape, kernels: SamplerKernels) {
    this.#device = device;
    this.#shape = shape;
    this.#kernels = kernels;
    const { vocabularySize, maxContextTokens } = shape;
    const storage = (label: string, sizeBytes: number): GPUBuffer => device.memory.storage('activations', `sampler ${label}`, sizeBytes);
    this.#buffers = {
      settings: device.memory.allocate('activations', 'sampler settings', settingsBytes, 0x40 /* UNIFORM */ | 0x08 /* COPY_DST */),
      seen: storage('seen', vocabularySize * 4),
      blocks: storage('blocks', this.#blockCount * 16),
      candidates: storage('candidates', largestNucleus * 16),
      state: storage('state', 8),
      history: storage('history', maxContextTokens * 4),
      ring: storage('ring', ringSlots * 4),
    };
  }

  static async create(device: Device, shape: SamplerShape, family = kernelFamilies(device)[0]): Promise<Sampler> {
    const loneSubgroup = family === 'subgroup';
    const lanes = device.facts.subgroupLanes;
    const kernel = (label: string, text: string, invocations: number): Promise<Kernel> =>
      device.kernels.get({
        label,
        texts: [logitsText, reduceText, text],
        enables: loneSubgroup ? ['subgroups'] : [],
        constants: { LONE_SUBGROUP: loneSubgroup, INVOCATIONS: loneSubgroup ? lanes : invocations },
      });
    const [blocks, pick] = await Promise.all([kernel('sample_blocks', blocksText, 64), kernel('sample_pick', pickText, 256)]);
    return new Sampler(device, shape, { blocks, pick });
  }

  get #blockCount(): number {
    return Math.ceil(this.#shape.vocabularySize / blockTokens);
  }

  /** Starts an answer: the same settings after the same tokens give the same draws on one adapter. */
  begin(settings: SamplingSettings, promptTokens: readonly number[] = []): void {
    const { vocabularySize, maxContextTokens } = this.#shape;
    const { repetitionPenalty, topK, topP, minP, temperature, seed } = settings;
    const { queue } = this.#device.gpu;
    const penaltyTokens = repetitionPenalty === 1 ? 0 : Math.min(settings.penaltyTokens, maxContextTokens);
    const penalised = penaltyTokens > 0 ? promptTokens.slice(-penaltyTokens) : [];
    if (penaltyTokens > 0) {
      const seen = new Uint32Array(vocabularySize);
      for (const token of penalised) seen[token]++;
      queue.writeBuffer(this.#buffers.seen, 0, seen);
      queue.writeBuffer(this.#buffers.history, 0, Uint32Array.from(penalised));
    }
    queue.writeBuffer(this.#buffers.state, 0, Uint32Array.of(0, penalised.length));
    queue.writeBuffer(
      this.#buffers.settings,
      0,
      packUniforms([
        vocabularySize,
        this.#blockCount,
        samplingMode(settings),
        seed,
        topK,
        { float: topP },
        { float: minP > 0 ? Math.log(minP) : -1e30 },
        { float: temperature > 0 ? 1 / temperature : 1 },
        { float: repetitionPenalty },
        penaltyTokens,
        maxContextTokens,
        ringSlots,
      ]),
    );
    this.#chosen = 0;
    this.#penalises = penaltyTokens > 0;
  }

  /** Encodes a copy of what the next choice begins from, in case it has to be made again. */
  encodeSave(encoder: GPUCommandEncoder): void {
    const { saved, live } = this.#savedPairs(this.#chosen);
    live.forEach((buffer, i) => encoder.copyBufferToBuffer(buffer, 0, saved[i], 0, buffer.size));
  }

  /** As if the last `count` (1 or 2) choices had not been made; the first of them must have been saved. */
  encodeGoBack(encoder: GPUCommandEncoder, count: number): void {
    this.#chosen -= count;
    const { saved, live } = this.#savedPairs(this.#chosen);
    live.forEach((buffer, i) => encoder.copyBufferToBuffer(saved[i], 0, buffer, 0, buffer.size));
  }

  #savedPairs(choice: number): { saved: GPUBuffer[]; live: GPUBuffer[] } {
    const slots = 2;
    while (this.#saved.length < slots) {
      const copyOf = (name: 'state' | 'seen' | 'history'): GPUBuffer => this.#device.memory.storage('activations', `sampler ${name} before`, this.#buffers[name].size);
      this.#saved.push({ state: copyOf('state'), seen: copyOf('seen'), history: copyOf('history') });
    }
    const names = this.#penalises ? (['state', 'seen', 'history'] as const) : (['state'] as const);
    const slot = this.#saved[choice % slots];
    return { saved: names.map((name) => slot[name]), live: names.map((name) => this.#buffers[name]) };
  }

  /** Chooses a token from the logits and writes it to `token`; may be encoded several times before a read. */
  encode(pass: GPUComputePassEncoder, io: SamplerBuffers): void {
    const bindings = this.#bound(io);
    const workgroups = this.#device.facts.kind === 'software' ? Math.min(8, this.#blockCount) : this.#blockCount;
    encodeDispatch(pass, { kernel: this.#kernels.blocks, bindings: bindings.blocks }, workgroups);
    encodeDispatch(pass, { kernel: this.#kernels.pick, bindings: bindings.pick }, 1);
    this.#chosen++;
  }

  /**
   * Encodes the copy of the last `count` choices (oldest first, at most 256) for the CPU. Call the
   * result after the submission; it rejects with a named error when the logits were not finite. `fault`: a word that is read
   * with them; above 0 the choices count for nothing, and there are none.
   */
  encodeRead(encoder: GPUCommandEncoder, count = 1, fault: { buffer: GPUBuffer; offsetBytes: number } | null = null): () => Promise<number[]> {
    const staging = this.#idleReads.pop() ?? this.#allocateRead();
    for (let i = 0; i < count; i++) {
      const slot = (this.#chosen - count + i) % ringSlots;
      encoder.copyBufferToBuffer(this.#buffers.ring, slot * 4, staging, i * 4, 4);
    }
    if (fault) encoder.copyBufferToBuffer(fault.buffer, fault.offsetBytes, staging, count * 4, 4);
    const sizeBytes = 4 * (fault ? count + 1 : count);
    return async () => {
      const mapped = await this.#device.mapped(staging, staging.mapAsync(0x01 /* READ */, 0, sizeBytes), sizeBytes);
      const words = [...new Uint32Array(mapped)];
      staging.unmap();
      this.#idleReads.push(staging);
      if (fault && words[count] > 0) return [];
      const tokens = words.slice(0, count);
      if (tokens.includes(noToken)) throw notFinite();
      return tokens;
    };
  }

  free(): void {
    for (const buffer of [...Object.values(this.#buffers), ...this.#saved.flatMap((saved) => Object.values(saved)), ...this.#reads]) this.#device.memory.free(buffer);
  }

  #allocateRead(): GPUBuffer {
    const buffer = this.#device.memory.allocate('staging', 'chosen tokens', ringSlots * 4 + 4, 0x01 /* MAP_READ */ | 0x08 /* COPY_DST */);
    this.#reads.push(buffer);
    return buffer;
  }

  #bound({ logits, token }: SamplerBuffers): Bindings {
    let byToken = this.#bindings.get(logits);
    if (!byToken) this.#bindings.set(logits, (byToken = new Map()));
    let bindings = byToken.get(token);
    if (!bindings) {
      const { settings, seen, blocks, candidates, state, history, ring } = this.#buffers;
      bindings = {
        blocks: this.#kernels.blocks.bind(settings, logits, seen, blocks),
        pick: this.#kernels.pick.bind(settings, logits, seen, blocks, candidates, state, history, ring, token),
      };
      byToken.set(token, bindings);
    }
    return bindings;
  }
}

function notFinite(): EngineError {
  return new EngineError(
    'logits-not-finite',
    'The model computed logits that are not finite numbers, so no next token can be chosen.',
    'Try again; if it happens again, the model file is damaged or the graphics driver computes wrongly: verify the file and update the driver.',
  );
}
