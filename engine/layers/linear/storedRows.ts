/** Rows of a matrix in a file, unpacked on the CPU: the reference of repacking on the GPU, and for types that it cannot repack. */
import { unpackAffine } from '../../formats/quantisation/affine.ts';
import { dequantise } from '../../formats/quantisation/dequantise.ts';
import { sizeInBytes } from '../../formats/quantisation/tensorTypes.ts';
import type { StoredMatrix, UnpackedMatrix } from './matrix.ts';

const floatPrecision = { F32: 'f32', F16: 'f16', BF16: 'bf16' } as const;

export function storedRowBytes({ type, columns }: StoredMatrix): number {
  return sizeInBytes(type, columns);
}

/** Rows `firstRow … firstRow + rows − 1`. Throws `unknown-quantisation`, and what reading throws. */
export async function unpackRows(source: StoredMatrix, firstRow = 0, rows = source.rows): Promise<UnpackedMatrix> {
  const { type, columns } = source;
  const bytes = new Uint8Array(rows * storedRowBytes(source));
  await source.readRows(firstRow, bytes);
  if (type === 'F32' || type === 'F16' || type === 'BF16') {
    return { kind: 'float', rows, columns, values: dequantise(type, bytes, rows * columns), precision: floatPrecision[type] };
  }
  return { kind: 'affine', rows: unpackAffine(type, bytes, rows, columns) };
}
