/** The GPU's own clock: when passes of one submission began and ended. */
import type { Device } from '../device/device.ts';

/** What WebGPU allows in a query set. */
export const mostQueries = 4096;

/** Submits what `encode` encodes, with `count` queries for it to write; nanoseconds. The adapter has `timestamp-query`. */
export async function withTimestamps(device: Device, count: number, encode: (encoder: GPUCommandEncoder, querySet: GPUQuerySet) => void): Promise<BigUint64Array> {
  const { gpu, memory } = device;
  const querySet = gpu.createQuerySet({ type: 'timestamp', count });
  const resolved = memory.allocate('staging', 'timestamps', count * 8, 0x200 /* QUERY_RESOLVE */ | 0x04 /* COPY_SRC */);
  const readable = memory.allocate('staging', 'timestamps', count * 8, 0x01 /* MAP_READ */ | 0x08 /* COPY_DST */);
  const encoder = gpu.createCommandEncoder();
  encode(encoder, querySet);
  encoder.resolveQuerySet(querySet, 0, count, resolved, 0);
  encoder.copyBufferToBuffer(resolved, 0, readable, 0, count * 8);
  gpu.queue.submit([encoder.finish()]);
  const nanoseconds = new BigUint64Array((await device.mapped(readable, readable.mapAsync(0x01 /* READ */))).slice(0));
  querySet.destroy();
  for (const buffer of [resolved, readable]) memory.free(buffer);
  return nanoseconds;
}
