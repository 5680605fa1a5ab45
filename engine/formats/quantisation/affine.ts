import { affineSimpleBlocks } from './affineSimpleBlocks.ts';
import { affineSuperBlocks } from './affineSuperBlocks.ts';
import { affineTableBlocks } from './affineTableBlocks.ts';
import type { AffineScheme } from './affineScheme.ts';
import { requireSize, unsupportedType } from './dequantise.ts';
import { tensorType, type TensorTypeName } from './tensorTypes.ts';

/**
 * Quantised rows in the one form that every packer for the GPU reads. Weight `column` of `row` is
 *
 *     scales[block] * (codes[row * columns + column] - zeroPoint) + offsets[block]
 *
 * where `block = (row * columns + column) / blockSize`, rounded down, and a missing `offsets` is 0.
 */
export interface AffineRows {
  /** Every code is below 2 to this power. */
  readonly bits: 4 | 8;
  /** Weights that share a scale; divides `columns`. */
  readonly blockSize: 16 | 32;
  readonly zeroPoint: number;
  readonly rows: number;
  readonly columns: number;
  /** One code a byte, row after row: `rows * columns`. */
  readonly codes: Uint8Array;
  /** `rows * columns / blockSize`. */
  readonly scales: Float32Array;
  /** As long as `scales`; undefined for types that are symmetric around 0. */
  readonly offsets: Float32Array | undefined;
  /** True when every scale and offset is a half-float from the file, so that 16 bits hold it exactly. */
  readonly scalesAreHalf: boolean;
}

const schemes: Partial<Record<TensorTypeName, AffineScheme>> = {
  ...affineSimpleBlocks,
  ...affineSuperBlocks,
  ...affineTableBlocks,
};

/** True for the quantised types that `unpackAffine` reads; not for F32, F16 and BF16. */
export function isAffine(type: TensorTypeName): boolean {
  return type in schemes;
}

/** What `unpackAffine` makes of a type; undefined for F32, F16 and BF16. */
export function affineFormat(type: TensorTypeName): Pick<AffineRows, 'bits' | 'blockSize' | 'zeroPoint' | 'scalesAreHalf'> | undefined {
  return schemes[type];
}

/**
 * Unpacks `rows` rows of `columns` weights of a quantised `type`, stored back to back in `bytes`. A
 * large tensor can be unpacked a few rows at a time.
 *
 * Throws `unknown-quantisation` for a type that has no affine form here, and `internal` when `bytes`
 * does not have exactly the size of the rows or `columns` is not a multiple of the type's block.
 */
export function unpackAffine(type: TensorTypeName, bytes: Uint8Array, rows: number, columns: number): AffineRows {
  const scheme = schemes[type];
  if (scheme === undefined) throw unsupportedType(type);
  requireSize(type, bytes, rows, columns);

  const elements = rows * columns;
  const { bits, blockSize, zeroPoint, hasOffsets, scalesAreHalf, unpack } = scheme;
  const codes = new Uint8Array(elements);
  const scales = new Float32Array(elements / blockSize);
  const offsets = new Float32Array(hasOffsets ? scales.length : 0);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  unpack(view, elements / tensorType(type).blockElements, new Int32Array(codes.buffer), scales, offsets);
  return {
    bits,
    blockSize,
    zeroPoint,
    rows,
    columns,
    codes,
    scales,
    offsets: hasOffsets ? offsets : undefined,
    scalesAreHalf,
  };
}
