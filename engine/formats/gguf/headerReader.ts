import { cancelled } from '../../errors.ts';
import type { WeightSource } from '../../ports.ts';
import { maximumHeaderBytes } from './limits.ts';
import { invalid, truncated } from './problems.ts';

const firstRangeBytes = 2 ** 20;
const strictText = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/**
 * Walks the header of a GGUF file whose length is not known beforehand. It holds the file's first
 * bytes and fetches more, doubling, when a part is needed that is not there yet; no byte is fetched
 * twice. A length read from the file is checked against the file's size before anything is fetched
 * or allocated for it.
 */
export class HeaderReader {
  readonly source: WeightSource;
  readonly signal: AbortSignal | undefined;
  /** Where the next value starts, from the start of the file. */
  positionBytes = 0;
  /** The file's first bytes, as far as fetched. */
  bytes = new Uint8Array(0);
  view = new DataView(this.bytes.buffer);

  constructor(source: WeightSource, signal: AbortSignal | undefined) {
    this.source = source;
    this.signal = signal;
  }

  /** Makes the next `lengthBytes` bytes present; `what` names them in messages. */
  async require(lengthBytes: number, what: string): Promise<void> {
    const endBytes = this.positionBytes + lengthBytes;
    if (endBytes <= this.bytes.length) return;
    if (endBytes > this.source.sizeBytes) {
      throw truncated(this.source.name, what, this.positionBytes, endBytes, this.source.sizeBytes);
    }
    if (endBytes > maximumHeaderBytes) {
      throw invalid(this.source.name, `its header passes ${maximumHeaderBytes} bytes at ${what}`);
    }
    const wantedBytes = Math.max(endBytes, firstRangeBytes, 2 * this.bytes.length);
    await this.fetchUpTo(Math.min(wantedBytes, this.source.sizeBytes, maximumHeaderBytes));
  }

  async uint32(what: string): Promise<number> {
    await this.require(4, what);
    const value = this.view.getUint32(this.positionBytes, true);
    this.positionBytes += 4;
    return value;
  }

  async uint64(what: string): Promise<bigint> {
    await this.require(8, what);
    const value = this.view.getBigUint64(this.positionBytes, true);
    this.positionBytes += 8;
    return value;
  }

  /** A 64-bit count or length that may be at most `maximum`. */
  async count(what: string, maximum: number): Promise<number> {
    const value = await this.uint64(what);
    if (value > maximum) {
      throw invalid(this.source.name, `${what} is ${value}, more than the ${maximum} that make sense`);
    }
    return Number(value);
  }

  /** The length of a string and the string itself, which must be UTF-8. */
  async text(what: string, maximumBytes: number): Promise<string> {
    const lengthBytes = await this.count(`the length of ${what}`, maximumBytes);
    await this.require(lengthBytes, what);
    const startBytes = this.positionBytes;
    this.positionBytes += lengthBytes;
    try {
      return strictText.decode(this.bytes.subarray(startBytes, this.positionBytes));
    } catch (cause) {
      throw invalid(this.source.name, `${what} at byte ${startBytes} is not UTF-8 text`, cause);
    }
  }

  private async fetchUpTo(endBytes: number): Promise<void> {
    if (this.signal?.aborted) throw cancelled();
    const heldBytes = this.bytes.length;
    const more = await this.source.read(heldBytes, endBytes - heldBytes);
    if (this.signal?.aborted) throw cancelled();
    if (more.length !== endBytes - heldBytes) {
      throw truncated(this.source.name, 'its header', heldBytes, endBytes, heldBytes + more.length);
    }
    const bytes = new Uint8Array(endBytes);
    bytes.set(this.bytes);
    bytes.set(more, heldBytes);
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer);
  }
}
