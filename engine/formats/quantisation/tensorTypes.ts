/**
 * The ways a tensor's numbers may be stored ("ggml quantisation block layouts"). A row is cut into
 * blocks of `blockElements` weights that take `blockBytes` bytes each.
 */
export interface TensorType {
  /** The number that stands for the type in files. */
  readonly id: number;
  readonly blockElements: number;
  readonly blockBytes: number;
}

const tensorTypes = {
  F32: { id: 0, blockElements: 1, blockBytes: 4 },
  F16: { id: 1, blockElements: 1, blockBytes: 2 },
  Q4_0: { id: 2, blockElements: 32, blockBytes: 18 },
  Q4_1: { id: 3, blockElements: 32, blockBytes: 20 },
  Q5_0: { id: 6, blockElements: 32, blockBytes: 22 },
  Q5_1: { id: 7, blockElements: 32, blockBytes: 24 },
  Q8_0: { id: 8, blockElements: 32, blockBytes: 34 },
  Q2_K: { id: 10, blockElements: 256, blockBytes: 84 },
  Q3_K: { id: 11, blockElements: 256, blockBytes: 110 },
  Q4_K: { id: 12, blockElements: 256, blockBytes: 144 },
  Q5_K: { id: 13, blockElements: 256, blockBytes: 176 },
  Q6_K: { id: 14, blockElements: 256, blockBytes: 210 },
  IQ2_XXS: { id: 16, blockElements: 256, blockBytes: 66 },
  IQ2_XS: { id: 17, blockElements: 256, blockBytes: 74 },
  IQ3_XXS: { id: 18, blockElements: 256, blockBytes: 98 },
  IQ1_S: { id: 19, blockElements: 256, blockBytes: 50 },
  IQ4_NL: { id: 20, blockElements: 32, blockBytes: 18 },
  IQ3_S: { id: 21, blockElements: 256, blockBytes: 110 },
  IQ2_S: { id: 22, blockElements: 256, blockBytes: 82 },
  IQ4_XS: { id: 23, blockElements: 256, blockBytes: 136 },
  I8: { id: 24, blockElements: 1, blockBytes: 1 },
  I16: { id: 25, blockElements: 1, blockBytes: 2 },
  I32: { id: 26, blockElements: 1, blockBytes: 4 },
  I64: { id: 27, blockElements: 1, blockBytes: 8 },
  F64: { id: 28, blockElements: 1, blockBytes: 8 },
  IQ1_M: { id: 29, blockElements: 256, blockBytes: 56 },
  BF16: { id: 30, blockElements: 1, blockBytes: 2 },
  TQ1_0: { id: 34, blockElements: 256, blockBytes: 54 },
  TQ2_0: { id: 35, blockElements: 256, blockBytes: 66 },
  MXFP4: { id: 39, blockElements: 32, blockBytes: 17 },
  NVFP4: { id: 40, blockElements: 64, blockBytes: 36 },
  Q1_0: { id: 41, blockElements: 128, blockBytes: 18 },
  Q2_0: { id: 42, blockElements: 64, blockBytes: 18 },
} as const satisfies Record<string, TensorType>;

export type TensorTypeName = keyof typeof tensorTypes;

/** Ids that had a meaning once, or have one only while a program runs; no file may hold them. */
const refusedIds: Readonly<Record<number, string>> = {
  4: 'Q4_2, which was removed from the format',
  5: 'Q4_3, which was removed from the format',
  9: 'Q8_1, which is no storage type',
  15: 'Q8_K, which is no storage type',
  31: 'Q4_0_4_4, which was removed from the format',
  32: 'Q4_0_4_8, which was removed from the format',
  33: 'Q4_0_8_8, which was removed from the format',
  36: 'IQ4_NL_4_4, which was removed from the format',
  37: 'IQ4_NL_4_8, which was removed from the format',
  38: 'IQ4_NL_8_8, which was removed from the format',
};

const nameOfId = new Map(Object.entries(tensorTypes).map(([name, type]) => [type.id as number, name as TensorTypeName]));

export function tensorType(name: TensorTypeName): TensorType {
  return tensorTypes[name];
}

/** The type with this id, or undefined when no file should hold it. */
export function tensorTypeOfId(id: number): TensorTypeName | undefined {
  return nameOfId.get(id);
}

/** Why `tensorTypeOfId` knows no such type, to follow "the tensor has". */
export function describeRefusedId(id: number): string {
  return `type ${id} (${refusedIds[id] ?? 'unknown to this version'})`;
}

/** The bytes that `elements` weights take; `elements` must be a multiple of the type's block. */
export function sizeInBytes(name: TensorTypeName, elements: number): number {
  const { blockElements, blockBytes } = tensorTypes[name];
  return (elements / blockElements) * blockBytes;
}
