import { EngineError } from '../../errors.ts';
import type { WeightSource } from '../../ports.ts';
import { HeaderReader } from './headerReader.ts';
import { maximumKeys, maximumTensors } from './limits.ts';
import { GgufMetadata } from './metadata.ts';
import { invalid, notAGguf, unsupportedVersion } from './problems.ts';
import { readMetadata } from './readMetadata.ts';
import { alignUp, placeTensors, readTensors, type GgufTensor, type StatedTensor } from './readTensors.ts';

/** What a GGUF file holds; the weights themselves stay in `source`. */
export interface GgufFile {
  /** 2 or 3. */
  readonly version: number;
  /** Every tensor starts at a multiple of this from the start of the data. */
  readonly alignment: number;
  readonly metadata: GgufMetadata;
  /** By name, in the order of the file. */
  readonly tensors: ReadonlyMap<string, GgufTensor>;
  readonly dataOffsetBytes: number;
  readonly source: WeightSource;
}

/**
 * Reads the header of a GGUF file, version 2 or 3, little-endian ("GGUF specification"). The file is
 * not trusted: every count, length and offset is checked before it is used.
 *
 * Throws EngineError `not-a-gguf`, `gguf-truncated`, `gguf-invalid`, `gguf-unsupported-version`,
 * `unknown-quantisation`, `model-incomplete` (one part of a split model) or `cancelled`.
 */
export async function readGguf(source: WeightSource, options: { signal?: AbortSignal } = {}): Promise<GgufFile> {
  const { version, metadata, tensors, alignment, dataOffsetBytes } = await readHeader(source, options.signal);
  refuseSplit(source, metadata);
  return {
    version,
    alignment,
    metadata,
    tensors: placeTensors(source.name, source.sizeBytes, tensors, dataOffsetBytes, alignment),
    dataOffsetBytes,
    source,
  };
}

export interface GgufHeader {
  version: number;
  alignment: number;
  metadata: GgufMetadata;
  keyCount: number;
  /** The keys and their values, as they are in the file. */
  keyBytes: Uint8Array;
  tensors: StatedTensor[];
  dataOffsetBytes: number;
}

/** The header of a file, or of one part of a split model; throws as `readGguf`. */
export async function readHeader(source: WeightSource, signal?: AbortSignal): Promise<GgufHeader> {
  const reader = new HeaderReader(source, signal);
  await readMagic(reader);
  const version = await readVersion(reader);
  const tensorCount = await reader.count('the tensor count', maximumTensors);
  const keyCount = await reader.count('the key count', maximumKeys);
  const keysAtBytes = reader.positionBytes;
  const entries = await readMetadata(reader, keyCount);
  const metadataBytes = reader.positionBytes;
  const tensors = await readTensors(reader, tensorCount);

  // A copy, so that the fetched bytes after the metadata can be freed.
  const kept = reader.bytes.slice(0, metadataBytes);
  const metadata = new GgufMetadata(source.name, entries, kept);
  const alignment = readAlignment(source.name, metadata);
  return { version, alignment, metadata, keyCount, keyBytes: kept.subarray(keysAtBytes), tensors, dataOffsetBytes: alignUp(reader.positionBytes, alignment) };
}

async function readMagic(reader: HeaderReader): Promise<void> {
  const { name, sizeBytes } = reader.source;
  if (sizeBytes === 0) {
    throw notAGguf(`${name} is empty (0 bytes).`, 'Download the file again.');
  }
  const lfsPointer = 'version https://git-lfs';
  await reader.require(Math.min(lfsPointer.length, sizeBytes), 'the start of the file');
  const start = String.fromCharCode(...reader.bytes.subarray(0, lfsPointer.length));
  if (start === lfsPointer) {
    throw notAGguf(
      `${name} is a Git LFS pointer: a short text that stands for the model, not the model itself.`,
      'Download the model file itself from its page, or run "git lfs pull" in its folder.',
    );
  }
  const magic = 'GGUF';
  // A file cut inside these four bytes is reported as cut, by `require`.
  if (!magic.startsWith(start.slice(0, magic.length))) {
    throw notAGguf(`${name} is not a GGUF file: it begins with ${describeBytes(reader.bytes.subarray(0, 4))}, not with "GGUF".`);
  }
  await reader.require(magic.length, 'the start of the file');
  reader.positionBytes = magic.length;
}

function describeBytes(bytes: Uint8Array): string {
  const printable = bytes.every((byte) => byte >= 0x20 && byte < 0x7f);
  if (printable) return JSON.stringify(String.fromCharCode(...bytes));
  return `the bytes ${Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join(' ')}`;
}

async function readVersion(reader: HeaderReader): Promise<number> {
  const version = await reader.uint32('the version');
  if (version === 2 || version === 3) return version;
  const { name } = reader.source;
  // A big-endian file's small version shows in the high bytes.
  if (version !== 0 && (version & 0xffff) === 0) {
    throw unsupportedVersion(
      `${name} is stored big-endian, for another kind of processor.`,
      'Download the little-endian file of this model, which is the usual one.',
    );
  }
  throw unsupportedVersion(
    `${name} has GGUF version ${version}; versions 2 and 3 can be read.`,
    version > 3 ? 'Update Longleaf, or choose another file of this model.' : 'Choose a newer file of this model.',
  );
}

function refuseSplit(source: WeightSource, metadata: GgufMetadata): void {
  const partCount = metadata.integerOr('split.count', 1);
  if (partCount <= 1 || source.joinedParts === partCount) return;
  const part = metadata.integerOr('split.no', 0) + 1;
  throw new EngineError(
    'model-incomplete',
    `${source.name} is part ${part} of a model split into ${partCount} files, and is of no use alone.`,
    'Keep all parts in one folder, with their names, and choose the first.',
  );
}

function readAlignment(fileName: string, metadata: GgufMetadata): number {
  const alignment = metadata.integerOr('general.alignment', 32);
  const isPowerOfTwo = alignment > 0 && alignment <= 2 ** 31 && (alignment & (alignment - 1)) === 0;
  if (!isPowerOfTwo) throw invalid(fileName, `general.alignment is ${alignment}, not a power of two up to 2^31`);
  return alignment;
}
