import {
  describeRefusedId,
  sizeInBytes,
  tensorType,
  tensorTypeOfId,
  type TensorTypeName,
} from '../quantisation/tensorTypes.ts';
import type { HeaderReader } from './headerReader.ts';
import { maximumTensorNameBytes } from './limits.ts';
import { invalid, truncated, unknownTensorType } from './problems.ts';

/** One tensor of a file. */
export interface GgufTensor {
  readonly name: string;
  /** One to four sizes, the contiguous one (`ne0`, a weight's inputs) first. */
  readonly dims: readonly number[];
  readonly type: TensorTypeName;
  /** From the start of the file. */
  readonly offsetBytes: number;
  readonly sizeBytes: number;
}

/** A tensor as the header states it: its place is still relative to the data and unchecked. */
export interface StatedTensor extends Omit<GgufTensor, 'offsetBytes'> {
  readonly relativeOffsetBytes: bigint;
}

/** Reads the tensor list. Throws `gguf-invalid`, `gguf-truncated` or `unknown-quantisation`. */
export async function readTensors(reader: HeaderReader, tensorCount: number): Promise<StatedTensor[]> {
  const tensors: StatedTensor[] = [];
  const names = new Set<string>();
  for (let index = 0; index < tensorCount; index++) {
    const name = await reader.text(`the name of tensor ${index + 1} of ${tensorCount}`, maximumTensorNameBytes);
    if (names.has(name)) throw invalid(reader.source.name, `the tensor name "${name}" occurs twice`);
    names.add(name);
    const dims = await readDims(reader, name);
    const type = await readTensorType(reader, name);
    const sizeBytes = checkedSize(reader.source.name, name, dims, type);
    const relativeOffsetBytes = await reader.uint64(`the offset of tensor "${name}"`);
    tensors.push({ name, dims, type, sizeBytes, relativeOffsetBytes });
  }
  return tensors;
}

async function readDims(reader: HeaderReader, name: string): Promise<number[]> {
  const dimCount = await reader.uint32(`the dimension count of tensor "${name}"`);
  if (dimCount < 1 || dimCount > 4) {
    throw invalid(reader.source.name, `tensor "${name}" has ${dimCount} dimensions, and 1 to 4 are allowed`);
  }
  const dims: number[] = [];
  for (let index = 0; index < dimCount; index++) {
    const dim = await reader.count(`dimension ${index} of tensor "${name}"`, Number.MAX_SAFE_INTEGER);
    if (dim === 0) throw invalid(reader.source.name, `dimension ${index} of tensor "${name}" is 0`);
    dims.push(dim);
  }
  return dims;
}

async function readTensorType(reader: HeaderReader, name: string): Promise<TensorTypeName> {
  const id = await reader.uint32(`the type of tensor "${name}"`);
  const type = tensorTypeOfId(id);
  if (type === undefined) throw unknownTensorType(reader.source.name, name, describeRefusedId(id));
  return type;
}

function checkedSize(fileName: string, name: string, dims: readonly number[], type: TensorTypeName): number {
  const { blockElements } = tensorType(type);
  if (dims[0] % blockElements !== 0) {
    throw invalid(
      fileName,
      `the rows of tensor "${name}" have ${dims[0]} weights, not a multiple of the ${blockElements} in a ${type} block`,
    );
  }
  // Floating-point products lose digits but never order, so the comparison holds.
  const elements = dims.reduce((product, dim) => product * dim, 1);
  const sizeBytes = sizeInBytes(type, elements);
  if (elements > Number.MAX_SAFE_INTEGER || sizeBytes > Number.MAX_SAFE_INTEGER) {
    throw invalid(fileName, `tensor "${name}" has ${dims.join(' × ')} weights, more than can be counted`);
  }
  return sizeBytes;
}

/**
 * Turns offsets into places in the file. As the specification asks, tensors follow each other in the
 * order of the list, each at the next multiple of the alignment, so none can overlap another.
 */
export function placeTensors(
  fileName: string,
  fileBytes: number,
  tensors: readonly StatedTensor[],
  dataOffsetBytes: number,
  alignment: number,
): Map<string, GgufTensor> {
  const placed = new Map<string, GgufTensor>();
  let expectedBytes = 0;
  for (const { relativeOffsetBytes, ...tensor } of tensors) {
    if (relativeOffsetBytes % BigInt(alignment) !== 0n) {
      throw invalid(
        fileName,
        `tensor "${tensor.name}" starts at byte ${relativeOffsetBytes} of the data, not a multiple of the alignment ${alignment}`,
      );
    }
    if (relativeOffsetBytes !== BigInt(expectedBytes)) {
      throw invalid(
        fileName,
        `tensor "${tensor.name}" starts at byte ${relativeOffsetBytes} of the data, but the tensors before it end at byte ${expectedBytes}`,
      );
    }
    const offsetBytes = dataOffsetBytes + expectedBytes;
    const endBytes = offsetBytes + tensor.sizeBytes;
    if (endBytes > fileBytes) throw truncated(fileName, `tensor "${tensor.name}"`, offsetBytes, endBytes, fileBytes);
    placed.set(tensor.name, { ...tensor, offsetBytes });
    expectedBytes = alignUp(expectedBytes + tensor.sizeBytes, alignment);
  }
  return placed;
}

/** The next multiple of `alignment`, by division: 32-bit operations would wrap above 2 GiB. */
export function alignUp(positionBytes: number, alignment: number): number {
  return Math.ceil(positionBytes / alignment) * alignment;
}
