/** Times decoding as answers do it, and says what was done with far keys meanwhile. */
import type { Device } from '../../engine/device/device.ts';
import { generateTokens } from '../../engine/generate.ts';
import type { FarContext } from '../../engine/kv/tiers/farContext.ts';
import { sumByKernel, timeDispatches } from '../../engine/measure/dispatchTimes.ts';
import type { LoadedModel } from '../../engine/model.ts';
import { Sampler } from '../../engine/sampling/sampler.ts';
import { greedySettings } from '../../engine/sampling/settings.ts';
import { median } from '../median.ts';
import type { DriftingQueries } from './driftingQueries.ts';

export interface DecodeFigures {
  steps: number;
  /** Median, and the time that nine of ten steps keep within. */
  stepMs: number;
  slowStepMs: number;
  /** Of it the processor's: encoding, and bringing what was missed. Where this is all of it, the GPU waits. Median. */
  processorMs: number;
  tokensPerSecond: number;
}

export interface FarFigures {
  /** Of the chosen far keys, those that were in the GPU's slots. */
  hitRatio: number;
  /** Of all far keys, those that were attended exactly. */
  exactShare: number;
  /** Of the chosen ones, those that were left to the estimate because they were not there in time. */
  missedShare: number;
  fetchedBytesPerStep: number;
  /** Of the fetched bytes, those that were read from disk, whole blocks. */
  diskBytesPerStep: number;
  /** A step, the sum of its layers. */
  waitMs: number;
  fetchMs: number;
}

/** A model with what its steps need, measured again and again. */
export class DecodeBench {
  readonly #device: Device;
  readonly #model: LoadedModel;
  readonly #sampler: Sampler;

  private constructor(device: Device, model: LoadedModel, sampler: Sampler) {
    this.#device = device;
    this.#model = model;
    this.#sampler = sampler;
  }

  static async create(device: Device, model: LoadedModel): Promise<DecodeBench> {
    const { spec, contextTokens } = model;
    return new DecodeBench(device, model, await Sampler.create(device, { vocabularySize: spec.vocabularySize, maxContextTokens: contextTokens }));
  }

  /** Decodes from where the sequence ends, and goes back there. */
  async decode(steps: number): Promise<DecodeFigures> {
    const { runner, sequence } = this.#model;
    const begin = sequence.length;
    this.#sampler.begin(greedySettings);
    const times: number[] = [];
    const busyTimes: number[] = [];
    let lastMs = 0;
    let waitedMs = 0;
    // The first token was chosen before the first step.
    for await (const token of generateTokens(this.#device, runner, sequence, this.#sampler, { maxTokens: steps + 1, endTokens: new Set(), onWaited: (ms) => void (waitedMs = ms) })) {
      const nowMs = performance.now();
      if (lastMs > 0 && token >= 0) {
        times.push(nowMs - lastMs);
        busyTimes.push(nowMs - lastMs - waitedMs);
      }
      lastMs = nowMs;
    }
    await this.#device.finished();
    sequence.dropTo(begin);
    const wholeMs = times.reduce((sum, ms) => sum + ms, 0);
    times.sort((a, b) => a - b);
    return { steps, stepMs: times[steps >> 1], slowStepMs: times[Math.floor(0.9 * steps)], processorMs: median(busyTimes), tokensPerSecond: (1000 * steps) / wholeMs };
  }

  /** The same, with what it did to far keys. */
  async decodeFar(far: FarContext, steps: number): Promise<DecodeFigures & FarFigures> {
    await far.settleLagged();
    far.report.reset();
    const before = { ...far.store.bytes };
    const figures = await this.decode(steps);
    await far.settleLagged();
    const { exactKeys, missedKeys, hitKeys, farKeys, waitMs, fetchMs } = far.report.total;
    const diskBytes = far.store.bytes.diskReadBytes - before.diskReadBytes;
    const chosenKeys = Math.max(1, far.report.total.chosenKeys);
    return {
      ...figures,
      hitRatio: hitKeys / chosenKeys,
      exactShare: exactKeys / Math.max(1, farKeys),
      missedShare: missedKeys / chosenKeys,
      fetchedBytesPerStep: (far.store.bytes.ramReadBytes - before.ramReadBytes + diskBytes) / steps,
      diskBytesPerStep: diskBytes / steps,
      waitMs: waitMs / steps,
      fetchMs: fetchMs / steps,
    };
  }

  /** Finds the angle of drifting queries at which slots have about `wanted` of what is chosen; they are warm then. */
  async calibrate(far: FarContext, queries: DriftingQueries, wanted: number, { settle, probe }: { settle: number; probe: number }): Promise<number> {
    let [low, high] = [1e-4, Math.PI / 2];
    if (wanted === 1) low = high = queries.angle = 0;
    for (let round = 0; round < 9; round++) {
      if (wanted < 1) queries.angle = Math.sqrt(low * high);
      await this.decode(settle);
      const { hitRatio } = await this.decodeFar(far, probe);
      if (Math.abs(hitRatio - wanted) < 0.01) break;
      if (hitRatio > wanted) low = queries.angle;
      else high = queries.angle;
    }
    return queries.angle;
  }

  /** The GPU's time of one step by kernel, by timestamps; null where the adapter has none. */
  async kernels(): Promise<Record<string, { dispatches: number; ms: number }> | null> {
    const { runner, sequence } = this.#model;
    const step = { rows: 1, position: sequence.length, sealed: runner.far?.sealed };
    runner.prepare(step);
    runner.prepareHead(1);
    const times = await timeDispatches(this.#device, (pass) => [...runner.layers, ...runner.head].forEach((part) => part.encode(pass, step)));
    // What it asked for nobody brings.
    for (const { memory } of runner.far?.layers ?? []) memory.table.forgetFrom(0);
    return times && sumByKernel(times);
  }
}
