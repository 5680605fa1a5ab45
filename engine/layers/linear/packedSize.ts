/** How many bytes a file's tensors take once they are packed for the GPU, from their types and shapes alone. */
import { affineFormat } from '../../formats/quantisation/affine.ts';
import type { GgufFile } from '../../formats/gguf/readGguf.ts';
import type { GgufTensor } from '../../formats/gguf/readTensors.ts';
import { blockWeights, scaleWordsPerBlock, unitsPerBlock, type WeightFormat } from './format.ts';
import type { Codes } from './rivals.ts';

/** Of every family of kernels. */
const tileColumns = 64;

/** bf16 is taken for numbers that halves hold as well, as nearly all weights are. */
function formatOfType(type: GgufTensor['type']): WeightFormat {
  const affine = affineFormat(type);
  if (!affine) return { codes: type === 'F32' ? 'f32' : 'f16', scales: 'none', scaleBlock: 32, zeroPoint: 0 };
  return { codes: affine.bits === 4 ? 'u4' : 'u8', scales: affine.scalesAreHalf ? 'f16' : 'f32', scaleBlock: affine.blockSize, zeroPoint: affine.zeroPoint };
}

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
  const columns = Math.ceil(outputs / tileColumns) * tileColumns;
  return columns * blocks * (16 * unitsPerBlock(format) + 4 * scaleWordsPerBlock(format));
}
