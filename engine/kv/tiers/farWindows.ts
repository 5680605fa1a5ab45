/**
 * Far tokens on their way to the GPU while reading: windows of every layer, in the order in which the layers want them.
 * While the GPU attends to one, the next ones are read from RAM or disk into mapped buffers.
 */
import type { Device } from '../../device/device.ts';
import { type Upload, UploadRing } from '../../device/uploadRing.ts';
import type { FarScratch } from './farScratch.ts';
import type { FarStore } from './farStore.ts';
import { blockTokens } from '../../layers/sparseReading/sparseReading.ts';
import type { TierPlan } from './plan.ts';
import type { Sealer } from './sealer.ts';

/** Windows that are being filled or copied at once. */
const windowsUnderWay = 3;

interface Span {
  layer: number;
  first: number;
  tokens: number;
  /** Of each key-value head, in place of consecutive tokens: the blocks to bring, one behind the other. */
  chosen?: readonly Uint32Array[];
}

export interface FarWindow {
  first: number;
  tokens: number;
  /** Which of the stage's buffers it goes to. */
  stage: number;
  /** Brings it there; `submitted` follows the submission. */
  encode(encoder: GPUCommandEncoder): void;
  submitted(): void;
}

/** How fast far tokens came. */
export interface UploadTimes {
  bytes: number;
  /** In which something was on its way into a mapped buffer. */
  ms: number;
  /** In which a window was wanted and not there yet. */
  waitedMs: number;
}

export class FarWindows {
  readonly #device: Device;
  readonly #plan: TierPlan;
  readonly #scratch: FarScratch;
  readonly #store: FarStore;
  readonly #sealer: Sealer;
  /** Made when something is far for the first time. */
  #ring: UploadRing | null = null;
  #planned: Span[] = [];
  #coming: Promise<{ span: Span; upload: Upload }>[] = [];
  #stage = 0;
  #filling = 0;
  #fillingSinceMs = 0;
  /** Since the start. */
  readonly total: UploadTimes = { bytes: 0, ms: 0, waitedMs: 0 };
  #taken: UploadTimes = { ...this.total };

  constructor(device: Device, plan: TierPlan, scratch: FarScratch, store: FarStore, sealer: Sealer) {
    this.#device = device;
    this.#plan = plan;
    this.#scratch = scratch;
    this.#store = store;
    this.#sealer = sealer;
  }

  /** Starts to bring tokens [first, end) of each layer in turn, in windows of at most `windowTokens`, the first to `stage`. */
  begin(layers: readonly number[], { first, end, windowTokens, stage = this.#stage }: { first: number; end: number; windowTokens: number; stage?: number }): void {
    this.#stage = stage;
    const step = Math.min(windowTokens, this.#plan.stageTokens);
    for (const layer of layers) {
      for (let at = first; at < end; at += step) this.#planned.push({ layer, first: at, tokens: Math.min(step, end - at) });
    }
    this.#fill();
  }

  /** Starts to bring chosen blocks of a layer, [kvHead] as many each, ascending, in windows of at most `windowTokens`. */
  beginChosen(layer: number, chosen: readonly Uint32Array[], windowTokens: number): void {
    const step = Math.min(windowTokens, this.#plan.stageTokens) / blockTokens;
    const count = chosen[0].length;
    for (let at = 0; at < count; at += step) {
      const blocks = chosen.map((list) => list.subarray(at, Math.min(at + step, count)));
      this.#planned.push({ layer, first: at * blockTokens, tokens: blocks[0].length * blockTokens, chosen: blocks });
    }
    this.#fill();
  }

  #fill(): void {
    if (this.#planned.length === 0) return;
    this.#ring ??= new UploadRing(this.#device, { label: 'streamed window', sizeBytes: 8 * this.#stageWords, count: windowsUnderWay });
    while (this.#coming.length < this.#ring.count && this.#planned.length > 0) this.#fillNext();
  }

  /** The next window of those begun. */
  async next(): Promise<FarWindow> {
    const coming = this.#coming.shift();
    if (!coming) throw new RangeError('no window was begun');
    const wantedMs = performance.now();
    const { span, upload } = await coming;
    this.total.waitedMs += performance.now() - wantedMs;
    this.#fillNext();
    const stage = this.#stage;
    this.#stage = (stage + 1) % this.#scratch.stages.length;
    const { keys, values } = this.#scratch.stages[stage];
    return {
      ...span,
      stage,
      encode: (encoder) => {
        const { kvHeads } = this.#plan.layout;
        const strideBytes = 4 * this.#plan.stageTokens * this.#store.words;
        const usedBytes = 4 * span.tokens * this.#store.words;
        // Whole stages in one copy; of shorter windows only what is used.
        const runs = usedBytes === strideBytes ? [{ at: 0, bytes: kvHeads * strideBytes }] : Array.from({ length: kvHeads }, (_, head) => ({ at: head * strideBytes, bytes: usedBytes }));
        for (const { at, bytes } of runs) {
          encoder.copyBufferToBuffer(upload.buffer, at, keys, at, bytes);
          encoder.copyBufferToBuffer(upload.buffer, 4 * this.#stageWords + at, values, at, bytes);
        }
      },
      submitted: () => upload.release(),
    };
  }

  /** Forgets what was begun and not taken. */
  async cancel(): Promise<void> {
    this.#planned = [];
    const coming = this.#coming;
    this.#coming = [];
    for (const one of await Promise.allSettled(coming)) if (one.status === 'fulfilled') one.value.upload.release();
  }

  /** Since it was last asked. */
  takeTimes(): UploadTimes {
    const before = this.#taken;
    this.#taken = { ...this.total };
    return { bytes: this.total.bytes - before.bytes, ms: this.total.ms - before.ms, waitedMs: this.total.waitedMs - before.waitedMs };
  }

  free(): void {
    this.#ring?.free();
  }

  /** Words of the keys, or of the values, of a whole window. */
  get #stageWords(): number {
    return this.#plan.layout.kvHeads * this.#plan.stageTokens * this.#store.words;
  }

  #fillNext(): void {
    const span = this.#planned.shift();
    const ring = this.#ring;
    if (!span || !ring) return;
    const coming = ring.fill((words) => this.#read(span, words)).then((upload) => ({ span, upload }));
    // Whoever takes the window hears of a failure.
    coming.catch(() => undefined);
    this.#coming.push(coming);
  }

  async #read({ layer, first, tokens, chosen }: Span, words: Uint32Array): Promise<void> {
    const end = chosen ? blockTokens * (1 + Math.max(...chosen.map((list) => list[list.length - 1]))) : first + tokens;
    await this.#sealer.arrived(Math.ceil(end / this.#plan.layout.segmentTokens));
    if (this.#filling++ === 0) this.#fillingSinceMs = performance.now();
    try {
      const half = this.#stageWords;
      await Promise.all(
        ([0, 1] as const).map((part) => {
          const target = words.subarray(part * half, (part + 1) * half);
          return chosen ? this.#store.blocks(layer, part, chosen, blockTokens, target, this.#plan.stageTokens) : this.#store.range(layer, part, first, tokens, target, this.#plan.stageTokens);
        }),
      );
      this.total.bytes += 8 * this.#plan.layout.kvHeads * tokens * this.#store.words;
    } finally {
      if (--this.#filling === 0) this.total.ms += performance.now() - this.#fillingSinceMs;
    }
  }
}
