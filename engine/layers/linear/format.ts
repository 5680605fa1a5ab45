/**
 * How a matrix's weights are stored on the GPU. `matmul_weights.wgsl` explains the layout; here are its
 * numbers, and the choice of a format for a source matrix.
 */
import type { ShaderConstants } from '../../device/shader.ts';
import { floatsToHalves, halvesToFloats } from '../../formats/half.ts';
import { affineFormat, type AffineRows } from '../../formats/quantisation/affine.ts';
import type { TensorTypeName } from '../../formats/quantisation/tensorTypes.ts';
import type { SourceMatrix } from './matrix.ts';

/** Weights along the inputs that share a place in every layout; inputs are padded to this. */
export const blockWeights = 32;

export interface WeightFormat {
  codes: 'u4' | 'u8' | 'f16' | 'f32';
  /** How (scale, offset) pairs are stored; 'none' for float weights. */
  scales: 'none' | 'f16' | 'f32';
  /** Weights that share a scale. */
  scaleBlock: 16 | 32;
  /** The code that stands for 0, before the offset. */
  zeroPoint: number;
}

/** How a kernel reads a texture of weights; adapters differ in which is faster. */
export type TextureKind = 'storage' | 'sampled';

/** What the chosen kernels ask of the layout. */
export interface Layout {
  /** Columns whose units lie side by side; every kernel's tile divides it or is divided by it. */
  tileColumns: number;
  /** Keep weights in textures where they fit, of a sampled one only the codes; the rest stays in buffers. */
  texture: TextureKind | null;
}

const weightsPerUnit = { u4: 32, u8: 16, f16: 8, f32: 4 } as const;

/** `vec4<u32>` units in a block of 32 weights. */
export function unitsPerBlock(format: WeightFormat): number {
  return blockWeights / weightsPerUnit[format.codes];
}

/** Groups of four weights in a unit, one from each of its words. */
export function fieldsPerUnit(format: WeightFormat): number {
  return weightsPerUnit[format.codes] / 4;
}

/** 32-bit words of (scale, offset) for a block of 32 weights. */
export function scaleWordsPerBlock(format: WeightFormat): number {
  if (format.scales === 'none') return 0;
  return (format.scales === 'f16' ? 1 : 2) * (blockWeights / format.scaleBlock);
}

export function formatOf(source: SourceMatrix): WeightFormat {
  if (source.kind === 'stored') return formatOfType(source.type);
  if (source.kind === 'affine') return affineFormatOf(source.rows);
  return floatFormat(source.precision === 'f16' || (source.precision === 'bf16' && fitsHalf(source.values)) ? 'f16' : 'f32');
}

/** bf16 is taken for numbers that halves hold as well, as nearly all weights are. */
export function formatOfType(type: TensorTypeName): WeightFormat {
  const affine = affineFormat(type);
  return affine ? affineFormatOf(affine) : floatFormat(type === 'F32' ? 'f32' : 'f16');
}

export function floatFormat(codes: 'f16' | 'f32'): WeightFormat {
  return { codes, scales: 'none', scaleBlock: 32, zeroPoint: 0 };
}

function affineFormatOf({ bits, blockSize, zeroPoint, scalesAreHalf }: Pick<AffineRows, 'bits' | 'blockSize' | 'zeroPoint' | 'scalesAreHalf'>): WeightFormat {
  return { codes: bits === 4 ? 'u4' : 'u8', scales: scalesAreHalf ? 'f16' : 'f32', scaleBlock: blockSize, zeroPoint };
}

export function sameFormat(a: WeightFormat, b: WeightFormat): boolean {
  return a.codes === b.codes && a.scales === b.scales && a.scaleBlock === b.scaleBlock && a.zeroPoint === b.zeroPoint;
}

/** A short name for messages and measured choices, e.g. `u4/32 f16`. */
export function formatName(format: WeightFormat): string {
  return format.scales === 'none' ? format.codes : `${format.codes}/${format.scaleBlock} ${format.scales}`;
}

/** The constants that `matmul_weights.wgsl` needs. */
export function formatConstants(format: WeightFormat, tileColumns: number, texture: TextureKind | null): ShaderConstants {
  return {
    CODES4: format.codes === 'u4',
    CODES8: format.codes === 'u8',
    CODES16: format.codes === 'f16',
    CODES32: format.codes === 'f32',
    HAS_SCALES: format.scales !== 'none',
    HALF_SCALES: format.scales === 'f16',
    SPLIT_BLOCK: format.scaleBlock === 16,
    UNITS: unitsPerBlock(format),
    FIELDS: fieldsPerUnit(format),
    TILE: tileColumns,
    IN_TEXTURE: texture !== null,
    SAMPLED: texture === 'sampled',
    SCALES_IN_TEXTURE: texture === 'storage',
  };
}

/** Whether halves lose no more than 2^-18 of the largest weight: less than f32 sums of products lose. */
export function halvesSuffice(largest: number, largestLoss: number): boolean {
  return largestLoss <= largest * 2 ** -18;
}

function fitsHalf(values: Float32Array): boolean {
  const chunk = 65536;
  let largest = 0;
  let largestLoss = 0;
  for (let start = 0; start < values.length; start += chunk) {
    const part = values.subarray(start, start + chunk);
    const rounded = halvesToFloats(floatsToHalves(part));
    for (let index = 0; index < part.length; index++) {
      largest = Math.max(largest, Math.abs(part[index]));
      largestLoss = Math.max(largestLoss, Math.abs(part[index] - rounded[index]));
    }
  }
  return halvesSuffice(largest, largestLoss);
}
