/**
 * Copies a stretch of the sequence out of the caches: keys and values of every attention layer, and the index of far
 * layers. The copies are queued at once, so that later steps may overwrite what they copy.
 */
import type { Device } from '../device/device.ts';
import { KvCache } from '../kv/cache.ts';
import type { FarContext } from '../kv/tiers/farContext.ts';
import type { FarLayer } from '../kv/tiers/farLayer.ts';
import { indexRanges } from '../kv/tiers/indexRanges.ts';
import { StateCache } from '../layers/recurrent/stateCache.ts';
import type { Runner } from '../runner.ts';
import { cacheRuns, rowBytesOf } from './cacheRuns.ts';
import { Copies, PartRoom } from './copies.ts';
import { indexPart, keysPart, type SegmentPart, statePart, valuesPart, windowKeysPart, windowValuesPart } from './parts.ts';

/** Tokens [first, end) of the sequence. */
export interface Stretch {
  first: number;
  end: number;
  /** States are there only while the sequence ends where the stretch does. */
  withStates: boolean;
}

/** Stretches are copied together until they are so much. */
const usualTogetherBytes = 2 ** 27;

/** Parts that are whole when the copies are there and everything was fetched. */
interface Taken {
  parts: PartRoom[];
  fetches: (() => Promise<void>)[];
}

export class SegmentExport {
  readonly #device: Device;
  readonly #runner: Runner;
  readonly #togetherBytes: number;
  readonly #idle: GPUBuffer[] = [];

  constructor(device: Device, runner: Runner, { togetherBytes = usualTogetherBytes } = {}) {
    this.#togetherBytes = togetherBytes;
    this.#device = device;
    this.#runner = runner;
  }

  /**
   * The parts of each stretch, ascending. Of sliding blocks, what their rings still have after `written` tokens: when that
   * is less than the window, nothing can begin at the stretch's end; nor without the states.
   */
  take(stretches: readonly Stretch[], written: number): Promise<SegmentPart[]>[] {
    const all: Promise<SegmentPart[]>[] = [];
    // Many segments at once: one after the other takes several times as long.
    this.#runner.far?.index(stretches[stretches.length - 1].end);
    let copies = new Copies(this.#device);
    let together: Taken[] = [];
    for (const [i, stretch] of stretches.entries()) {
      together.push(this.#list(stretch, written, copies));
      if (copies.sizeBytes < this.#togetherBytes && i < stretches.length - 1) continue;
      const copied = copies.finish((sizeBytes) => this.#take(sizeBytes), (buffer) => this.#idle.push(buffer));
      all.push(
        ...together.map(async ({ parts, fetches }) => {
          await copied;
          for (const fetch of fetches) await fetch();
          return parts.map(({ name, bytes }) => ({ name, bytes }));
        }),
      );
      copies = new Copies(this.#device);
      together = [];
    }
    return all;
  }

  free(): void {
    for (const buffer of this.#idle.splice(0)) this.#device.memory.free(buffer);
  }

  /** Room for a stretch's parts, and what is to be copied there. */
  #list({ first, end, withStates }: Stretch, written: number, copies: Copies): Taken {
    const { caches, far } = this.#runner;
    const parts: PartRoom[] = [];
    for (const [block, cache] of caches.entries()) {
      if (cache instanceof StateCache && withStates) parts.push(takeState(cache, block, end, copies));
      if (!(cache instanceof KvCache)) continue;
      const slides = cache.windowTokens !== null;
      const from = slides ? Math.max(first, written - cache.layout.capacitySlots) : first;
      const names = slides ? [windowKeysPart(block), windowValuesPart(block)] : [keysPart(block), valuesPart(block)];
      for (const [half, buffer] of [cache.keys, cache.values].entries()) {
        const part = new PartRoom(names[half], cache.layout.kvHeads * Math.max(0, end - from) * rowBytesOf(cache.layout));
        for (const { offsetBytes, sizeBytes, to } of cacheRuns(cache.layout, from, end - from)) copies.add({ buffer, offsetBytes, sizeBytes }, part, to);
        parts.push(part);
      }
    }
    return { parts, fetches: far ? this.#takeFar(far, first, end, copies, parts) : [] };
  }

  /** Returns what is still to be fetched from the store once the copies are queued. */
  #takeFar(far: FarContext, first: number, end: number, copies: Copies, parts: PartRoom[]): (() => Promise<void>)[] {
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
      const halves: [PartRoom, PartRoom] = [new PartRoom(keysPart(block), kvHeads * count * recordBytes), new PartRoom(valuesPart(block), kvHeads * count * recordBytes)];
      parts.push(...halves);
      this.#copyRing(far, layer, { from: fromRing, end, first }, halves, copies);
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
      const part = new PartRoom(indexPart(block, layout), ranges.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0));
      let to = 0;
      for (const range of ranges) {
        copies.add(range, part, to);
        to += range.sizeBytes;
      }
      parts.push(part);
    }
    // The last segments may still be on their way to the store.
    return fetches.length > 0 ? [() => far.settled(), ...fetches] : fetches;
  }

  /** Tokens [from, end) of a far layer's ring; halves are copied as they are, 8-bit records are packed first. */
  #copyRing(far: FarContext, layer: FarLayer, { from, end, first }: { from: number; end: number; first: number }, [keys, values]: readonly [PartRoom, PartRoom], copies: Copies): void {
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
        for (const [half, part] of [keys, values].entries()) {
          const offsetBytes = half * packedHalf + head * segmentTokens * recordBytes;
          copies.add({ buffer: far.scratch.packed, offsetBytes, sizeBytes: tokens * recordBytes }, part, (head * count + begin - first) * recordBytes);
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

function takeState(cache: StateCache, block: number, end: number, copies: Copies): PartRoom {
  const part = new PartRoom(statePart(block), cache.sizeBytes);
  let to = 0;
  for (const range of cache.rangesAt(end)) {
    copies.add(range, part, to);
    to += range.sizeBytes;
  }
  return part;
}
