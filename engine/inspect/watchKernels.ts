/** The kernels that turn watched queries into shares, bound once for an answer. */
import loadText from '../../shaders/kv_load.wgsl';
import batchText from '../../shaders/watch_batch.wgsl';
import partsText from '../../shaders/watch_parts.wgsl';
import sharesText from '../../shaders/watch_shares.wgsl';
import type { Device } from '../device/device.ts';
import { encodeDispatch } from '../device/kernel.ts';
import { packUniforms } from '../device/uniforms.ts';
import type { KvLayout } from '../layers/attention/layout.ts';
import { recentTokens } from './rangeKernels.ts';

/** Positions [begin, end). */
export interface WatchedPart {
  begin: number;
  end: number;
  zone: 'sinks' | 'document' | 'other';
}

const zoneNumbers: Record<WatchedPart['zone'], number> = { sinks: 0, document: 1, other: 2 };

/** A layer whose heads are watched, with every key that its rows see on the GPU. */
export interface WatchedLayer {
  /** [capacityRows][watched heads][headDim] f32, rows at position % capacityRows. */
  queries: GPUBuffer;
  keys: GPUBuffer;
  layout: Pick<KvLayout, 'format' | 'headDim' | 'kvHeads' | 'capacitySlots'>;
  heads: number;
  window: number | null;
  /** In ascending order. */
  watched: readonly number[];
}

export interface WatchShape {
  capacityRows: number;
  parts: readonly WatchedPart[];
  /** By watched head, layer after layer: what it counts for in the shares of parts. */
  factors: readonly number[];
}

export interface WatchKernels {
  /** [capacityRows][parts] f32, and [capacityRows][watched heads] of four f32: see shaders/watch_shares.wgsl. */
  readonly shares: GPUBuffer;
  readonly zones: GPUBuffer;
  /** Rows [position, position + rows), at most `capacityRows`: what to encode into what is submitted next. */
  within(batch: { position: number; rows: number }): (pass: GPUComputePassEncoder) => void;
  free(): void;
}

/** Throws `out-of-gpu-memory`. */
export async function bindWatchKernels(device: Device, layers: readonly WatchedLayer[], { capacityRows, parts, factors }: WatchShape): Promise<WatchKernels> {
  const { kernels, memory, gpu } = device;
  const partKernels = await Promise.all(
    layers.map(({ layout }) =>
      kernels.get({ label: 'watch_parts', texts: [loadText, batchText, partsText], constants: { HALF_CACHE: layout.format === 'f16', WIDE: false, UNITS: layout.headDim / 4, RECENT_TOKENS: recentTokens } }),
    ),
  );
  const shareKernel = await kernels.get({ label: 'watch_shares', texts: [batchText, sharesText] });
  return memory.checked('Room for watching heads', () => {
    const buffers: GPUBuffer[] = [];
    const storage = (label: string, words: number, content?: Uint32Array<ArrayBuffer> | Float32Array<ArrayBuffer>): GPUBuffer => {
      const buffer = memory.storage('activations', label, 4 * words);
      if (content) gpu.queue.writeBuffer(buffer, 0, content);
      buffers.push(buffer);
      return buffer;
    };
    const uniform = (): GPUBuffer => {
      const buffer = memory.allocate('activations', 'watched batch', 48, 0x40 /* UNIFORM */ | 0x08 /* COPY_DST */);
      buffers.push(buffer);
      return buffer;
    };
    const heads = factors.length;
    const table = storage('watched parts', 4 * parts.length, Uint32Array.from(parts.flatMap(({ begin, end, zone }) => [begin, end, zoneNumbers[zone], 0])));
    const sums = storage('watched sums', 2 * capacityRows * heads * parts.length);
    const shares = storage('watched shares', capacityRows * parts.length);
    const zones = storage('watched zones', 4 * capacityRows * heads);
    let firstHead = 0;
    const bound = layers.flatMap((layer, i) => {
      const common = [parts.length, heads, layer.watched.length, firstHead, layer.layout.capacitySlots, layer.window ?? 0];
      firstHead += layer.watched.length;
      return groupsOf(layer).map(({ kvHead, first, count }) => {
        const batch = uniform();
        return { batch, numbers: [...common, kvHead, first, count], dispatch: { kernel: partKernels[i], bindings: partKernels[i].bind(batch, table, layer.queries, layer.keys, sums) }, count };
      });
    });
    const batch = uniform();
    const all = [...bound, { batch, numbers: [parts.length, heads, heads, 0, 1, 0, 0, 0, heads] }];
    const factorBuffer = storage('watched factors', heads, Float32Array.from(factors));
    const sharing = { kernel: shareKernel, bindings: shareKernel.bind(batch, table, factorBuffer, sums, shares, zones) };
    return {
      shares,
      zones,
      within: ({ position, rows }) => {
        for (const one of all) gpu.queue.writeBuffer(one.batch, 0, packUniforms([rows, position, capacityRows, ...one.numbers]));
        return (pass) => {
          for (const { dispatch, count } of bound) encodeDispatch(pass, dispatch, Math.ceil(parts.length / 64), Math.ceil((rows * count) / 4));
          encodeDispatch(pass, sharing, rows);
        };
      },
      free: () => buffers.forEach((buffer) => memory.free(buffer)),
    };
  });
}

/** Watched heads that share a key-value head: they lie one after the other. */
function groupsOf({ watched, heads, layout }: WatchedLayer): { kvHead: number; first: number; count: number }[] {
  const groups: { kvHead: number; first: number; count: number }[] = [];
  for (const [index, head] of watched.entries()) {
    const kvHead = Math.floor(head / (heads / layout.kvHeads));
    const last = groups.at(-1);
    if (last?.kvHead === kvHead) last.count++;
    else groups.push({ kvHead, first: index, count: 1 });
  }
  return groups;
}
