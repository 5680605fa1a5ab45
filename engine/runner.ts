/**
 * The forward pass on the GPU: walks a model's description with its weights. All activations are f32;
 * bind groups are built once, so a step only writes a few numbers and encodes dispatches.
 */
import type { ChunkReader } from './chunkReader.ts';
import type { Device } from './device/device.ts';
import type { HeadWatch } from './inspect/headWatch.ts';
import type { QueryTap } from './inspect/queryTap.ts';
import type { FarContext } from './kv/tiers/farContext.ts';
import type { LinearKernels } from './layers/linear/linear.ts';
import type { Mixer } from './layers/mixer.ts';
import type { Part } from './layers/part.ts';
import { StateCache } from './layers/recurrent/stateCache.ts';
import type { RotaryAngles } from './layers/rotary.ts';
import { TeamPace } from './layers/team/pace.ts';
import { freeTeam, lateOffsetBytes, type Team } from './layers/team/team.ts';
import type { Step, StepUniform } from './layers/step.ts';
import type { ModelSpec } from './models/spec.ts';
import type { ModelWeights } from './models/weights.ts';
import type { ReadingTally, SparseReading } from './layers/sparseReading/sparseReading.ts';
import type { ResidentReading } from './layers/sparseReading/residentReading.ts';
import { buildRunner, type LayerCache, type RunnerOptions, type RunnerParts } from './runnerParts.ts';

/** How often a step, while it is encoded, lets others go on who bring it what was missed. */
const breathsOfStep = 3;

export class Runner {
  readonly #device: Device;
  readonly spec: ModelSpec;
  readonly contextTokens: number;
  readonly maxRows: number;
  /** Most tokens in one step: more than `maxRows` are read in blocks. */
  readonly maxChunkRows: number;
  /** Token ids of the step's rows; the sampler writes the next id into the first. */
  readonly tokens: GPUBuffer;
  readonly logits: GPUBuffer;
  readonly mixers: readonly Mixer[];
  /** Keys and values, or the state, of each block. */
  readonly caches: readonly LayerCache[];
  /** What lies beyond the GPU; null when everything is on it. */
  readonly far: FarContext | null;
  /** How documents are read beyond some length; null where everything is attended to. */
  readonly sparseReading: SparseReading | null;
  /** Keeps queries for those who look inside. */
  readonly tap: QueryTap;
  /** Keeps queries of a few heads while an answer is written. */
  readonly watch: HeadWatch;
  /** The kernels of a step in their order, and those of its logits. */
  readonly layers: readonly Part[];
  readonly head: readonly Part[];
  readonly #hidden: GPUBuffer;
  /** Reads chunks when something may lie beyond the GPU. */
  readonly #chunks: ChunkReader | null;
  /** Where the last step left its rows. */
  #lastHidden: GPUBuffer;
  readonly #tail: GPUBuffer;
  readonly #step: StepUniform;
  readonly #tailStep: StepUniform;
  readonly #angles: readonly RotaryAngles[];
  readonly #buffers: readonly GPUBuffer[];
  readonly #team: Team | null;
  #pace: TeamPace | null;
  readonly #dismissTeams: () => void;
  readonly #reading: ResidentReading | null;

  private constructor(parts: RunnerParts) {
    this.#device = parts.device;
    this.spec = parts.spec;
    this.contextTokens = parts.options.contextTokens;
    this.maxRows = parts.options.maxRows;
    this.tokens = parts.buffers.tokens;
    this.logits = parts.buffers.logits;
    this.mixers = parts.mixers;
    this.caches = parts.caches;
    this.far = parts.far;
    this.sparseReading = (parts.far?.reading ?? parts.reading)?.setting ?? null;
    this.#reading = parts.reading;
    this.tap = parts.tap;
    this.watch = parts.watch;
    this.maxChunkRows = parts.options.tiers?.plan.maxChunkRows ?? parts.options.maxRows;
    this.#hidden = parts.buffers.hidden;
    this.#lastHidden = parts.buffers.hidden;
    this.#chunks = parts.chunks;
    this.#tail = parts.buffers.tail;
    this.#step = parts.step;
    this.#tailStep = parts.tailStep;
    this.#angles = parts.angles;
    this.layers = parts.layers;
    this.head = parts.head;
    this.#team = parts.team;
    this.#pace = parts.team && new TeamPace();
    this.#dismissTeams = parts.dismissTeams;
    this.#buffers = [parts.buffers, parts.experts, parts.rwkv, parts.evicting, parts.sparse].flatMap((buffers) => Object.values(buffers ?? {}));
  }

  static async create(device: Device, kernels: LinearKernels, spec: ModelSpec, weights: ModelWeights, options: RunnerOptions): Promise<Runner> {
    return new Runner(await buildRunner(device, kernels, spec, weights, options));
  }

  /** Puts the tokens of the next step on the GPU; not needed when the sampler already did. */
  writeTokens(tokens: readonly number[]): void {
    const target = this.#chunks && tokens.length > this.maxRows ? this.#chunks.tokens : this.tokens;
    this.#device.gpu.queue.writeBuffer(target, 0, Uint32Array.from(tokens));
  }

  /** Writes a step's numbers to the buffers that the layers' kernels read. */
  prepare(step: Step): void {
    this.#step.write(step);
    for (const angles of this.#angles) angles.write(step);
  }

  /** The same for the logits of `rows` rows. */
  prepareHead(rows: number): Step {
    const step = { rows, position: 0 };
    this.#tailStep.write(step);
    return step;
  }

  /** Tokens that the widest ring must hold; 0 without rings. */
  get windowTokens(): number {
    return Math.max(0, ...this.spec.blocks.map(({ mixer }) => (mixer.kind === 'sliding' ? (mixer.windowTokens ?? 0) : 0)));
  }

  /** Whether a layer keeps a state of constant size, which cannot be cut back. */
  get keepsStates(): boolean {
    return this.caches.some((cache) => cache instanceof StateCache);
  }

  /** Whether a step must wait for the CPU on its way, so that nothing can be encoded ahead. */
  get waits(): boolean {
    return this.far !== null && this.far.waits;
  }

  /**
   * Encodes the layers for one step; the returned encoder is not yet submitted. The step's numbers go to buffers at
   * once, so a step must be submitted before the next is encoded. Where a layer's keys have to be fetched, what
   * came before is submitted and the promise resolves later; such a step can be stopped on its way (`cancelled`).
   */
  async encodeLayers(wanted: Step, signal?: AbortSignal): Promise<GPUCommandEncoder> {
    try {
      return await this.#encodeLayers(wanted, signal);
    } catch (error) {
      // Whoever frees the model now must find nobody writing to its memory.
      await this.far?.arrived().catch(() => undefined);
      throw error;
    }
  }

  async #encodeLayers(wanted: Step, signal?: AbortSignal): Promise<GPUCommandEncoder> {
    await this.far?.makeRoom(wanted);
    const step = { ...wanted, sealed: this.far?.sealed };
    if (this.#chunks && this.far?.streams(step)) {
      await this.far.arrived();
      this.#lastHidden = await this.#chunks.read(step, signal);
      return this.#device.gpu.createCommandEncoder();
    }
    this.#lastHidden = this.#hidden;
    this.prepare(step);
    let encoder = this.#device.gpu.createCommandEncoder();
    let pass = encoder.beginComputePass({ label: 'layers' });
    let waited = Promise.resolve();
    const partsInTurn = Math.ceil(this.layers.length / breathsOfStep);
    for (const [index, layer] of this.layers.entries()) {
      layer.encode(pass, step);
      if (index % partsInTurn === partsInTurn - 1) await this.far?.breathe();
      const between = layer.between?.(step);
      if (!between) continue;
      pass.end();
      await this.far?.arrived();
      await waited;
      // While this goes on, what comes next is encoded.
      waited = between(encoder);
      waited.catch(() => undefined);
      encoder = this.#device.gpu.createCommandEncoder();
      pass = encoder.beginComputePass({ label: 'layers' });
    }
    pass.end();
    await this.far?.arrived();
    await waited;
    this.far?.endStep(encoder);
    return encoder;
  }

  /** Where a team may compute rows alone: whether it should. null where none does, or not any more. */
  get pace(): TeamPace | null {
    return this.#pace;
  }

  /** Counts members of teams that came late: above 0 what was computed since counts for nothing. */
  get late(): { buffer: GPUBuffer; offsetBytes: number } | null {
    return this.#team && { buffer: this.#team.meeting, offsetBytes: lateOffsetBytes };
  }

  /** A member came late: from now on rows alone go kernel by kernel. */
  dismissTeams(): void {
    this.#pace = null;
    this.#dismissTeams();
  }

  /** What was read sparsely since this was last asked; null where nothing is. */
  takeReadingTally(): ReturnType<ReadingTally['take']> | null {
    return (this.far?.reading ?? this.#reading)?.tally.take() ?? null;
  }

  /** Cuts what lies beyond the GPU to the first `length` tokens. */
  async truncate(length: number): Promise<void> {
    await this.far?.truncate(length);
  }

  encodeHead(encoder: GPUCommandEncoder, rows: readonly number[]): void {
    const rowBytes = this.spec.hiddenSize * 4;
    rows.forEach((row, i) => encoder.copyBufferToBuffer(this.#lastHidden, row * rowBytes, this.#tail, i * rowBytes, rowBytes));
    const step = this.prepareHead(rows.length);
    const pass = encoder.beginComputePass({ label: 'head' });
    for (const one of this.head) one.encode(pass, step);
    pass.end();
  }

  free(): void {
    for (const mixer of this.mixers) mixer.free();
    this.far?.free();
    this.#reading?.free();
    this.#chunks?.free();
    this.tap.close();
    this.watch.close();
    for (const buffer of this.#buffers) this.#device.memory.free(buffer);
    if (this.#team) freeTeam(this.#device, this.#team);
    for (const part of [this.#step, this.#tailStep, ...this.#angles]) part.free();
  }
}
