import type { WeightSource } from '../../../ports.ts';

/** A file held in memory that counts what is read from it. */
export interface MemorySource extends WeightSource {
  readonly readBytes: number;
}

export function memorySource(bytes: Uint8Array, name = 'tiny.gguf'): MemorySource {
  let readBytes = 0;
  return {
    name,
    sizeBytes: bytes.length,
    get readBytes() {
      return readBytes;
    },
    async read(offsetBytes, lengthBytes) {
      if (offsetBytes < 0 || lengthBytes < 0 || offsetBytes + lengthBytes > bytes.length) {
        throw new RangeError(`Read of ${lengthBytes} bytes at ${offsetBytes} passes the end at ${bytes.length}.`);
      }
      readBytes += lengthBytes;
      return bytes.slice(offsetBytes, offsetBytes + lengthBytes);
    },
  };
}
