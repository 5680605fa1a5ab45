import type { TensorTypeName } from '../../quantisation/tensorTypes.ts';
import { tensorType } from '../../quantisation/tensorTypes.ts';
import {
  idOfValueType,
  sizeOfValueType,
  type ElementTypeName,
  type FixedTypeName,
  type IntegerTypeName,
} from '../valueTypes.ts';
import { ByteWriter } from './byteWriter.ts';

export type ValueToWrite =
  | { readonly type: IntegerTypeName; readonly value: number | bigint }
  | { readonly type: 'float32' | 'float64'; readonly value: number }
  | { readonly type: 'bool'; readonly value: boolean }
  | { readonly type: 'string'; readonly value: string }
  | { readonly type: 'array'; readonly elementType: ElementTypeName; readonly value: readonly Element[] };

type Element = number | bigint | boolean | string;

export interface TensorToWrite {
  readonly name: string;
  /** Sizes, the contiguous one (a weight's inputs) first. */
  readonly dims: readonly number[];
  readonly type: TensorTypeName;
  /** Already encoded; see `encodeTensor`. */
  readonly bytes: Uint8Array;
}

export interface GgufToWrite {
  /** In the order they are written. */
  readonly metadata: Readonly<Record<string, ValueToWrite>>;
  readonly tensors: readonly TensorToWrite[];
  /** Default 32. Another value is also written as `general.alignment`. */
  readonly alignment?: number;
  readonly version?: number;
}

/** A file whose tensors are not written yet. */
export type HeaderToWrite = Omit<GgufToWrite, 'tensors'> & { readonly tensors: readonly (Omit<TensorToWrite, 'bytes'> & { readonly sizeBytes: number })[] };

/** Writes a GGUF file, for tests. It checks nothing: tests also need files that are wrong. */
export function writeGguf(model: GgufToWrite): Uint8Array {
  const { tensors, alignment = 32 } = model;
  const sized = tensors.map(({ bytes, ...rest }) => ({ ...rest, sizeBytes: bytes.length }));
  const file = writeHeader({ ...model, tensors: sized });
  for (const { bytes } of tensors) file.bytes(bytes).padTo(alignment);
  return file.finish();
}

/** What comes before the tensors' bytes, padded; each tensor begins at a multiple of the alignment behind it. */
export function writeHeader({ metadata, tensors, alignment = 32, version = 3 }: HeaderToWrite): ByteWriter {
  const entries: [string, ValueToWrite][] = Object.entries(metadata);
  if (alignment !== 32) entries.push(['general.alignment', { type: 'uint32', value: alignment }]);

  const file = new ByteWriter().ascii('GGUF').uint32(version).uint64(tensors.length).uint64(entries.length);
  for (const [key, value] of entries) {
    file.text(key).uint32(idOfValueType(value.type));
    writeValue(file, value);
  }
  let offsetBytes = 0;
  for (const { name, dims, type, sizeBytes } of tensors) {
    file.text(name).uint32(dims.length);
    for (const dim of dims) file.uint64(dim);
    file.uint32(tensorType(type).id).uint64(offsetBytes);
    offsetBytes += Math.ceil(sizeBytes / alignment) * alignment;
  }
  return file.padTo(alignment);
}

function writeValue(file: ByteWriter, value: ValueToWrite): void {
  if (value.type === 'string') {
    file.text(value.value);
  } else if (value.type === 'array') {
    file.uint32(idOfValueType(value.elementType)).uint64(value.value.length);
    for (const element of value.value) writeElement(file, value.elementType, element);
  } else {
    writeFixed(file, value.type, value.value);
  }
}

function writeElement(file: ByteWriter, type: ElementTypeName, element: Element): void {
  if (type === 'string') file.text(String(element));
  else writeFixed(file, type, element);
}

function writeFixed(file: ByteWriter, type: FixedTypeName, value: Element): void {
  file.scalar(sizeOfValueType(type), (view) => {
    switch (type) {
      case 'uint8':
      case 'bool':
        return view.setUint8(0, Number(value));
      case 'int8':
        return view.setInt8(0, Number(value));
      case 'uint16':
        return view.setUint16(0, Number(value), true);
      case 'int16':
        return view.setInt16(0, Number(value), true);
      case 'uint32':
        return view.setUint32(0, Number(value), true);
      case 'int32':
        return view.setInt32(0, Number(value), true);
      case 'float32':
        return view.setFloat32(0, Number(value), true);
      case 'float64':
        return view.setFloat64(0, Number(value), true);
      case 'uint64':
        return view.setBigUint64(0, BigInt(value), true);
      case 'int64':
        return view.setBigInt64(0, BigInt(value), true);
    }
  });
}
