/** How many bytes a file's tensors take once they are packed for the GPU, from their types and shapes alone. */
import type { GgufFile } from '../../formats/gguf/readGguf.ts';
import type { GgufTensor } from '../../formats/gguf/readTensors.ts';
import { blockWeights, formatOfType, scaleWordsPerBlock, unitsPerBlock } from './format.ts';
import type { Codes } from './rivals.ts';

/** To how many columns every family of kernels pads a matrix, whatever its tiles are: sizes are told before one is chosen. */
export const paddedColumns = 64;

/** How the matrices of a file are stored once they are packed, by the bytes they take, the most first. */
export function storedCodes(file: GgufFile): Set<Codes> {
  const bytes = new Map<Codes, number>();
  for (const tensor of file.tensors.values()) {
    if (tensor.dims.length < 2 || tensor.dims[0] < blockWeights) continue;
    const { codes } = formatOfType(tensor.type);
    const measured = codes === 'f32' ? 'f16' : codes;
    bytes.set(measured, (bytes.get(measured) ?? 0) + tensor.sizeBytes);
  }
  return new Set([...bytes].sort(([, a], [, b]) => b - a).map(([codes]) => codes));
}

export function packedBytes(file: GgufFile, names: Iterable<string>): number {
  let bytes = 0;
  for (const name of names) {
    const tensor = file.tensors.get(name);
    if (tensor) bytes += tensorBytes(tensor);
  }
  return bytes;
}

function tensorBytes({ type, dims }: GgufTensor): number {
  const [inputs = 1, ...others] = dims;
  const outputs = others.reduce((product, size) => product * size, 1);
  // Vectors, and the few taps of convolutions, are f32.
  if (outputs === 1 || inputs < blockWeights) return 4 * inputs * outputs;
  const format = formatOfType(type);
  const blocks = Math.ceil(inputs / blockWeights);
  const columns = Math.ceil(outputs / paddedColumns) * paddedColumns;
  return columns * blocks * (16 * unitsPerBlock(format) + 4 * scaleWordsPerBlock(format));
}
