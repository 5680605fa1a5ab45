/** A sink in memory, for tests: what was sealed, as the engine reads it. */
import type { KeptSegment, SegmentSink } from '../../ports.ts';

export class KeptInMemory implements SegmentSink {
  readonly segments: (KeptSegment & { tokens: Uint32Array; bytes: Map<string, Uint8Array> })[] = [];

  async seal({ position, tokens, parts }: Parameters<SegmentSink['seal']>[0]): Promise<KeptSegment> {
    const bytes = new Map(parts.map((part) => [part.name, part.bytes.slice()]));
    const segment = {
      position,
      tokenCount: tokens.length,
      tokens,
      bytes,
      parts: new Map(parts.map((part) => [part.name, part.bytes.length])),
      read: async (ranges: readonly { part: string; offsetBytes: number; lengthBytes: number }[]) =>
        ranges.map(({ part, offsetBytes, lengthBytes }) => {
          const whole = bytes.get(part);
          if (!whole || offsetBytes + lengthBytes > whole.length) throw new RangeError(`${part} has no bytes ${offsetBytes}…${offsetBytes + lengthBytes}`);
          return whole.slice(offsetBytes, offsetBytes + lengthBytes);
        }),
    };
    this.segments.push(segment);
    return segment;
  }
}
