import { EngineError } from '../../errors.ts';
import { dequantiseBF16, dequantiseF16, dequantiseF32 } from './plainTypes.ts';
import { dequantiseQ4_0, dequantiseQ4_1, dequantiseQ5_0, dequantiseQ5_1, dequantiseQ8_0 } from './simpleBlocks.ts';
import { dequantiseQ2_K, dequantiseQ3_K, dequantiseQ4_K, dequantiseQ5_K, dequantiseQ6_K } from './superBlocks.ts';
import { dequantiseIQ4_NL, dequantiseIQ4_XS, dequantiseMXFP4 } from './tableBlocks.ts';
import { sizeInBytes, tensorType, type TensorTypeName } from './tensorTypes.ts';

type DecodeAll = (bytes: Uint8Array) => Float32Array;
type DecodeBlock = (bytes: Uint8Array, start: number, weights: Float32Array, out: number) => void;

const plainDecoders: Partial<Record<TensorTypeName, DecodeAll>> = {
  F32: dequantiseF32,
  F16: dequantiseF16,
  BF16: dequantiseBF16,
};

const blockDecoders: Partial<Record<TensorTypeName, DecodeBlock>> = {
  Q4_0: dequantiseQ4_0,
  Q4_1: dequantiseQ4_1,
  Q5_0: dequantiseQ5_0,
  Q5_1: dequantiseQ5_1,
  Q8_0: dequantiseQ8_0,
  Q2_K: dequantiseQ2_K,
  Q3_K: dequantiseQ3_K,
  Q4_K: dequantiseQ4_K,
  Q5_K: dequantiseQ5_K,
  Q6_K: dequantiseQ6_K,
  IQ4_NL: dequantiseIQ4_NL,
  IQ4_XS: dequantiseIQ4_XS,
  MXFP4: dequantiseMXFP4,
};

export function canDequantise(type: TensorTypeName): boolean {
  return type in plainDecoders || type in blockDecoders;
}

/**
 * The reference decoder: `elements` weights of `type` stored in `bytes`, as float32, rounded as ggml
 * rounds. Written to be read beside the layouts; loading for the GPU goes through `unpackAffine`.
 *
 * Throws `unknown-quantisation` for a type without a decoder and `internal` when `bytes` is not
 * exactly what `elements` weights take.
 */
export function dequantise(type: TensorTypeName, bytes: Uint8Array, elements: number): Float32Array {
  requireSize(type, bytes, 1, elements);
  const decodeAll = plainDecoders[type];
  if (decodeAll) return decodeAll(bytes);
  const decodeBlock = blockDecoders[type];
  if (!decodeBlock) throw unsupportedType(type);

  const { blockElements, blockBytes } = tensorType(type);
  const weights = new Float32Array(elements);
  for (let block = 0; block < elements / blockElements; block++) {
    decodeBlock(bytes, block * blockBytes, weights, block * blockElements);
  }
  return weights;
}

/** Throws unless `bytes` is exactly `rows` rows of `columns` weights, each a whole number of blocks. */
export function requireSize(type: TensorTypeName, bytes: Uint8Array, rows: number, columns: number): void {
  const { blockElements } = tensorType(type);
  if (columns % blockElements !== 0) {
    throw misuse(`${columns} weights are not a whole number of ${type} blocks, which hold ${blockElements}.`);
  }
  const expectedBytes = sizeInBytes(type, rows * columns);
  if (bytes.length !== expectedBytes) {
    throw misuse(`${rows * columns} weights of type ${type} take ${expectedBytes} bytes, but ${bytes.length} were given.`);
  }
}

function misuse(message: string): EngineError {
  return new EngineError('internal', message, 'Report this as a fault of Longleaf.');
}

export function unsupportedType(type: TensorTypeName): EngineError {
  return new EngineError(
    'unknown-quantisation',
    `This model holds weights of type ${type}, which Longleaf cannot compute with.`,
    'Choose another quantisation of this model, for example Q4_K_M or Q8_0.',
  );
}
