/**
 * The files of a split model, read as one: a header made of the first part's keys and of all parts' tensors, and behind
 * it the data of each part. Nothing is copied.
 */
import { EngineError } from '../../errors.ts';
import type { WeightSource } from '../../ports.ts';
import { tensorType } from '../quantisation/tensorTypes.ts';
import { type GgufHeader, readHeader } from './readGguf.ts';
import { alignUp } from './readTensors.ts';

const fixedBytes = 24;

interface Part {
  source: WeightSource;
  header: GgufHeader;
  /** Where its data begins among the data of all, and how long it is with padding. */
  baseBytes: number;
  dataBytes: number;
}

/** `sources` in order, all of them. Throws `model-incomplete` when they are not the parts of one model, and as `readGguf`. */
export async function joinParts(sources: readonly WeightSource[], signal?: AbortSignal): Promise<WeightSource> {
  const parts: Part[] = [];
  for (const [index, source] of sources.entries()) {
    const header = await readHeader(source, signal);
    checkPart(source.name, header, index, sources.length);
    const before = parts.at(-1);
    const dataBytes = header.tensors.reduce((sum, { sizeBytes }) => sum + alignUp(sizeBytes, header.alignment), 0);
    checkLength(source, header, dataBytes);
    parts.push({ source, header, baseBytes: before ? before.baseBytes + before.dataBytes : 0, dataBytes });
  }
  const header = joinedHeader(parts);
  const last = parts.at(-1);
  const sizeBytes = header.length + (last ? last.baseBytes + last.dataBytes : 0);
  return {
    name: sources[0]?.name ?? '',
    sizeBytes,
    joinedParts: parts.length,
    async read(offsetBytes, lengthBytes) {
      const bytes = new Uint8Array(lengthBytes);
      await readJoined(header, parts, offsetBytes, bytes);
      return bytes;
    },
    readInto: (offsetBytes, target) => readJoined(header, parts, offsetBytes, target),
  };
}

async function readJoined(header: Uint8Array, parts: readonly Part[], offsetBytes: number, target: Uint8Array): Promise<void> {
  const end = offsetBytes + target.length;
  if (offsetBytes < header.length) target.set(header.subarray(offsetBytes, Math.min(end, header.length)));
  for (const { source, header: own, baseBytes, dataBytes } of parts) {
    const start = header.length + baseBytes;
    const from = Math.max(offsetBytes, start);
    // Padding at the end of a part may not be in its file.
    const to = Math.min(end, start + Math.min(dataBytes, source.sizeBytes - own.dataOffsetBytes));
    if (from >= to) continue;
    const piece = target.subarray(from - offsetBytes, to - offsetBytes);
    const at = own.dataOffsetBytes + from - start;
    if (source.readInto) await source.readInto(at, piece);
    else piece.set(await source.read(at, piece.length));
  }
}

function joinedHeader(parts: readonly Part[]): Uint8Array {
  const first = parts[0].header;
  const tensors = parts.flatMap(({ header, baseBytes }) => header.tensors.map((tensor) => ({ ...tensor, offset: BigInt(baseBytes) + tensor.relativeOffsetBytes })));
  const names = tensors.map(({ name }) => new TextEncoder().encode(name));
  const listBytes = tensors.reduce((sum, { dims }, index) => sum + 8 + names[index].length + 4 + 8 * dims.length + 4 + 8, 0);
  const bytes = new Uint8Array(alignUp(fixedBytes + first.keyBytes.length + listBytes, first.alignment));
  const view = new DataView(bytes.buffer);
  bytes.set(new TextEncoder().encode('GGUF'));
  view.setUint32(4, first.version, true);
  view.setBigUint64(8, BigInt(tensors.length), true);
  view.setBigUint64(16, BigInt(first.keyCount), true);
  bytes.set(first.keyBytes, fixedBytes);
  let at = fixedBytes + first.keyBytes.length;
  const write64 = (value: bigint) => {
    view.setBigUint64(at, value, true);
    at += 8;
  };
  const write32 = (value: number) => {
    view.setUint32(at, value, true);
    at += 4;
  };
  for (const [index, { dims, type, offset }] of tensors.entries()) {
    write64(BigInt(names[index].length));
    bytes.set(names[index], at);
    at += names[index].length;
    write32(dims.length);
    for (const dim of dims) write64(BigInt(dim));
    write32(tensorType(type).id);
    write64(offset);
  }
  return bytes;
}

function checkPart(name: string, { metadata, alignment }: GgufHeader, index: number, count: number): void {
  const stated = { index: metadata.integerOr('split.no', 0), count: metadata.integerOr('split.count', 1) };
  if (stated.index === index && stated.count === count && alignment === 32) return;
  throw new EngineError(
    'model-incomplete',
    `${name} says that it is part ${stated.index + 1} of ${stated.count}, but it was taken for part ${index + 1} of ${count}.`,
    'Keep all parts of the model in one folder, with the names they had, and choose the first.',
  );
}

function checkLength({ name, sizeBytes }: WeightSource, { tensors, dataOffsetBytes, alignment }: GgufHeader, dataBytes: number): void {
  const last = tensors.at(-1);
  const neededBytes = dataOffsetBytes + dataBytes - (last ? alignUp(last.sizeBytes, alignment) - last.sizeBytes : 0);
  if (sizeBytes >= neededBytes) return;
  throw new EngineError('gguf-truncated', `${name} ends too early: its tensors need ${neededBytes} bytes, but the file has ${sizeBytes} bytes.`, 'The download is probably incomplete; download the file again.');
}
