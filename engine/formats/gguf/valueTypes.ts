/** The value types of GGUF metadata ("GGUF specification", gguf_metadata_value_type). */

/** A type id is its place in this list. Strings and arrays carry their own length: size 0 here. */
const valueTypes = [
  { name: 'uint8', sizeBytes: 1 },
  { name: 'int8', sizeBytes: 1 },
  { name: 'uint16', sizeBytes: 2 },
  { name: 'int16', sizeBytes: 2 },
  { name: 'uint32', sizeBytes: 4 },
  { name: 'int32', sizeBytes: 4 },
  { name: 'float32', sizeBytes: 4 },
  { name: 'bool', sizeBytes: 1 },
  { name: 'string', sizeBytes: 0 },
  { name: 'array', sizeBytes: 0 },
  { name: 'uint64', sizeBytes: 8 },
  { name: 'int64', sizeBytes: 8 },
  { name: 'float64', sizeBytes: 8 },
] as const;

export type ValueTypeName = (typeof valueTypes)[number]['name'];
/** The types whose values all have the same size. */
export type FixedTypeName = Exclude<ValueTypeName, 'string' | 'array'>;
export type IntegerTypeName = Exclude<FixedTypeName, 'bool' | 'float32' | 'float64'>;
export type ElementTypeName = Exclude<ValueTypeName, 'array'>;

const byName = new Map(valueTypes.map((type, id) => [type.name as string, { ...type, id }]));

/** The type with this id, or undefined when the specification has none. */
export function valueTypeOfId(id: number): ValueTypeName | undefined {
  return valueTypes[id]?.name;
}

export function idOfValueType(type: ValueTypeName): number {
  return byName.get(type)!.id;
}

export function sizeOfValueType(type: FixedTypeName): number {
  return byName.get(type)!.sizeBytes;
}

/** Reads one little-endian value; 64-bit integers come as bigint so that none loses digits. */
export function readValue(view: DataView, offsetBytes: number, type: FixedTypeName): number | bigint {
  switch (type) {
    case 'uint8':
    case 'bool':
      return view.getUint8(offsetBytes);
    case 'int8':
      return view.getInt8(offsetBytes);
    case 'uint16':
      return view.getUint16(offsetBytes, true);
    case 'int16':
      return view.getInt16(offsetBytes, true);
    case 'uint32':
      return view.getUint32(offsetBytes, true);
    case 'int32':
      return view.getInt32(offsetBytes, true);
    case 'float32':
      return view.getFloat32(offsetBytes, true);
    case 'uint64':
      return view.getBigUint64(offsetBytes, true);
    case 'int64':
      return view.getBigInt64(offsetBytes, true);
    case 'float64':
      return view.getFloat64(offsetBytes, true);
  }
}
