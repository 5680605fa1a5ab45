/**
 * Copies a stretch of the sequence out of the caches: keys and values of every attention layer, and the index of far
 * layers. The copies are queued at once, so that later steps may overwrite what they copy.
 */
import type { Device } from '../device/device.ts';
import { KvCache } from '../kv/cache.ts';
import type { FarContext } from '../kv/tiers/farContext.ts';
import type { FarLayer } from '../kv/tiers/farLayer.ts';
import { type BufferRange, indexRanges } from '../kv/tiers/indexRanges.ts';
import { StateCache } from '../layers/recurrent/stateCache.ts';
import type { Runner } from '../runner.ts';
import { cacheRuns, rowBytesOf } from './cacheRuns.ts';
import { indexPart, keysPart, type SegmentPart, statePart, valuesPart, windowKeysPart, windowValuesPart } from './parts.ts';

/** A copy on its way: from the staging buffer's `from` on to `to` in the part. */
interface Piece {
  part: Uint8Array;
  to: number;
  from: number;
  sizeBytes: number;
}

export class SegmentExport {
  readonly #device: Device;
  readonly #runner: Runner;
  readonly #idle: GPUBuffer[] = [];

  constructor(device: Device, runner: Runner) {
    this.#device = device;
    this.#runner = runner;
  }

  /**
   * The parts of tokens [first, end). Of sliding blocks, what their rings still have after `written` tokens: when that
   * is less than the window, nothing can begin at the segment's end; nor without the states, which are there only while
   * the sequence ends there.
   */
  async take(first: number, end: number, written: number, withStates: boolean): Promise<SegmentPart[]> {
    const { caches, far } = this.#runner;
    far?.index(end);
    const copies = new Copies(this.#device);
    const parts: SegmentPart[] = [];
    for (const [block, cache] of caches.entries()) {
      if (cache instanceof StateCache && withStates) parts.push(takeState(cache, block, end, copies));
      if (!(cache instanceof KvCache)) continue;
      const slides = cache.windowTokens !== null;
      const from = slides ? Math.max(first, written - cache.layout.capacitySlots) : first;
      const names = slides ? [windowKeysPart(block), windowValuesPart(block)] : [keysPart(block), valuesPart(block)];
      for (const [half, buffer] of [cache.keys, cache.values].entries()) {
        const bytes = new Uint8Array(cache.layout.kvHeads * Math.max(0, end - from) * rowBytesOf(cache.layout));
        for (const { offsetBytes, sizeBytes, to } of cacheRuns(cache.layout, from, end - from)) copies.add({ buffer, offsetBytes, sizeBytes }, bytes, to);
        parts.push({ name: names[half], bytes });
      }
    }
    const sealed = far ? this.#takeFar(far, first, end, copies, parts) : [];
    await copies.finish((sizeBytes) => this.#take(sizeBytes), (buffer) => this.#idle.push(buffer));
    for (const fetch of sealed) await fetch();
    return parts;
  }

  free(): void {
    for (const buffer of this.#idle.splice(0)) this.#device.memory.free(buffer);
  }

  /** Returns what is still to be fetched from the store once the copies are queued. */
  #takeFar(far: FarContext, first: number, end: number, copies: Copies, parts: SegmentPart[]): (() => Promise<void>)[] {
    const { layout } = far.plan;
    const { kvHeads, segmentTokens } = layout;
    const recordBytes = 4 * far.words;
    const count = end - first;
    const fromRing = Math.max(first, Math.min(end, far.sealed));
    const fetches: (() => Promise<void>)[] = [];
    const firstSegment = Math.ceil(first / segmentTokens);
    const endSegment = Math.floor(end / segmentTokens);
    for (const layer of far.layers) {
      const block = this.#runner.caches.indexOf(layer.memory);
      const halves = [keysPart(block), valuesPart(block)].map((name) => ({ name, bytes: new Uint8Array(kvHeads * count * recordBytes) }));
      parts.push(...halves);
      this.#copyRing(far, layer, { from: fromRing, end, first }, halves.map(({ bytes }) => bytes) as [Uint8Array, Uint8Array], copies);
      if (fromRing > first) {
        fetches.push(async () => {
          for (const [half, { bytes }] of halves.entries()) {
            const words = new Uint32Array(bytes.buffer, 0, bytes.length / 4);
            await far.store.range(layer.index, half as 0 | 1, first, fromRing - first, words, count);
          }
        });
      }
      if (firstSegment >= endSegment) continue;
      const ranges = Array.from({ length: endSegment - firstSegment }, (_, i) => indexRanges(layer.memory, layout, firstSegment + i)).flat();
      const bytes = new Uint8Array(ranges.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0));
      let to = 0;
      for (const range of ranges) {
        copies.add(range, bytes, to);
        to += range.sizeBytes;
      }
      parts.push({ name: indexPart(block, layout), bytes });
    }
    // The last segments may still be on their way to the store.
    return fetches.length > 0 ? [() => far.settled(), ...fetches] : fetches;
  }

  /** Tokens [from, end) of a far layer's ring; halves are copied as they are, 8-bit records are packed first. */
  #copyRing(far: FarContext, layer: FarLayer, { from, end, first }: { from: number; end: number; first: number }, [keys, values]: [Uint8Array, Uint8Array], copies: Copies): void {
    const { kvHeads, segmentTokens } = far.plan.layout;
    const recordBytes = 4 * far.words;
    const count = end - first;
    const { ring } = layer.memory;
    if (far.plan.format === 'f16') {
      const headOffset = (to: number): number => {
        const head = Math.floor(to / ((end - from) * recordBytes));
        return head * count * recordBytes + (from - first) * recordBytes + (to % ((end - from) * recordBytes));
      };
      for (const { offsetBytes, sizeBytes, to } of cacheRuns(ring.layout, from, end - from)) {
        copies.add({ buffer: ring.keys, offsetBytes, sizeBytes }, keys, headOffset(to));
        copies.add({ buffer: ring.values, offsetBytes, sizeBytes }, values, headOffset(to));
      }
      return;
    }
    const packedHalf = kvHeads * segmentTokens * recordBytes;
    for (let begin = from; begin < end; begin += segmentTokens) {
      const tokens = Math.min(segmentTokens, end - begin);
      const span = { position: begin, tokens, stride: segmentTokens, first: 0 };
      copies.compute(() => {
        for (const move of Object.values(layer.pack)) move.write(span);
      }, (pass) => {
        layer.pack.keys.encode(pass);
        layer.pack.values.encode(pass);
      });
      for (let head = 0; head < kvHeads; head++) {
        for (const [half, bytes] of [keys, values].entries()) {
          const offsetBytes = half * packedHalf + head * segmentTokens * recordBytes;
          copies.add({ buffer: far.scratch.packed, offsetBytes, sizeBytes: tokens * recordBytes }, bytes, (head * count + begin - first) * recordBytes);
        }
      }
    }
  }

  #take(sizeBytes: number): GPUBuffer {
    const index = this.#idle.findIndex((buffer) => buffer.size >= sizeBytes);
    if (index >= 0) return this.#idle.splice(index, 1)[0];
    return this.#device.memory.allocate('staging', 'segment on its way out', sizeBytes, 0x01 /* MAP_READ */ | 0x08 /* COPY_DST */);
  }
}

function takeState(cache: StateCache, block: number, end: number, copies: Copies): SegmentPart {
  const bytes = new Uint8Array(cache.sizeBytes);
  let to = 0;
  for (const range of cache.rangesAt(end)) {
    copies.add(range, bytes, to);
    to += range.sizeBytes;
  }
  return { name: statePart(block), bytes };
}

/** Commands that gather pieces of buffers, in their order, into one staging buffer. */
class Copies {
  readonly #device: Device;
  readonly #steps: ({ range: BufferRange; from: number } | { write: () => void; encode: (pass: GPUComputePassEncoder) => void })[] = [];
  readonly #pieces: Piece[] = [];
  #sizeBytes = 0;

  constructor(device: Device) {
    this.#device = device;
  }

  add(range: BufferRange, part: Uint8Array, to: number): void {
    this.#steps.push({ range, from: this.#sizeBytes });
    this.#pieces.push({ part, to, from: this.#sizeBytes, sizeBytes: range.sizeBytes });
    this.#sizeBytes += range.sizeBytes;
  }

  /** Something to compute before the copies that are added next: `write` sets the numbers it reads. */
  compute(write: () => void, encode: (pass: GPUComputePassEncoder) => void): void {
    this.#steps.push({ write, encode });
  }

  async finish(take: (sizeBytes: number) => GPUBuffer, giveBack: (buffer: GPUBuffer) => void): Promise<void> {
    if (this.#sizeBytes === 0) return;
    const { gpu } = this.#device;
    const staging = take(this.#sizeBytes);
    let encoder = gpu.createCommandEncoder();
    for (const step of this.#steps) {
      if ('range' in step) {
        encoder.copyBufferToBuffer(step.range.buffer, step.range.offsetBytes, staging, step.from, step.range.sizeBytes);
        continue;
      }
      // Numbers take effect for what is submitted later.
      gpu.queue.submit([encoder.finish()]);
      step.write();
      encoder = gpu.createCommandEncoder();
      const pass = encoder.beginComputePass({ label: 'pack' });
      step.encode(pass);
      pass.end();
    }
    gpu.queue.submit([encoder.finish()]);
    const bytes = new Uint8Array(await this.#device.mapped(staging, staging.mapAsync(0x01 /* READ */, 0, this.#sizeBytes), this.#sizeBytes));
    for (const { part, to, from, sizeBytes } of this.#pieces) part.set(bytes.subarray(from, from + sizeBytes), to);
    staging.unmap();
    giveBack(staging);
  }
}
