import type { HeaderReader } from './headerReader.ts';
import { maximumArrayElements, maximumKeyBytes, maximumStringBytes } from './limits.ts';
import type { MetadataEntry } from './metadata.ts';
import { invalid } from './problems.ts';
import { readValue, sizeOfValueType, valueTypeOfId, type ValueTypeName } from './valueTypes.ts';

/** Reads the key-value section. Arrays are only walked here: their elements are decoded when asked for. */
export async function readMetadata(reader: HeaderReader, keyCount: number): Promise<Map<string, MetadataEntry>> {
  const entries = new Map<string, MetadataEntry>();
  for (let index = 0; index < keyCount; index++) {
    const key = await reader.text(`key ${index + 1} of ${keyCount}`, maximumKeyBytes);
    if (key === '') throw invalid(reader.source.name, `key ${index + 1} of ${keyCount} has no name`);
    if (entries.has(key)) throw invalid(reader.source.name, `the key "${key}" occurs twice`);
    entries.set(key, await readEntry(reader, `the value of "${key}"`));
  }
  return entries;
}

async function readEntry(reader: HeaderReader, what: string): Promise<MetadataEntry> {
  const type = await readType(reader, what);
  if (type === 'string') return { type, value: await readLenientText(reader, what) };
  if (type === 'array') return readArray(reader, what);
  const sizeBytes = sizeOfValueType(type);
  await reader.require(sizeBytes, what);
  const value = readValue(reader.view, reader.positionBytes, type);
  reader.positionBytes += sizeBytes;
  if (type === 'bool' && value !== 0 && value !== 1) {
    throw invalid(reader.source.name, `${what} is a bool but holds ${value}`);
  }
  return { type, value };
}

async function readType(reader: HeaderReader, what: string): Promise<ValueTypeName> {
  const id = await reader.uint32(`the type of ${what}`);
  const type = valueTypeOfId(id);
  if (type === undefined) throw invalid(reader.source.name, `${what} has type ${id}, and the types end at 12`);
  return type;
}

/** Published files do hold the odd broken character in a description; it becomes U+FFFD. */
async function readLenientText(reader: HeaderReader, what: string): Promise<string> {
  const lengthBytes = await reader.count(`the length of ${what}`, maximumStringBytes);
  await reader.require(lengthBytes, what);
  const startBytes = reader.positionBytes;
  reader.positionBytes += lengthBytes;
  return new TextDecoder('utf-8', { ignoreBOM: true }).decode(reader.bytes.subarray(startBytes, reader.positionBytes));
}

async function readArray(reader: HeaderReader, what: string): Promise<MetadataEntry> {
  const elementType = await readType(reader, `the elements of ${what}`);
  if (elementType === 'array') throw invalid(reader.source.name, `${what} is an array of arrays, which is not supported`);
  const count = await reader.count(`the element count of ${what}`, maximumArrayElements);
  const startBytes = reader.positionBytes;
  if (elementType === 'string') {
    await skipStrings(reader, count, what);
  } else {
    const lengthBytes = count * sizeOfValueType(elementType);
    await reader.require(lengthBytes, what);
    reader.positionBytes += lengthBytes;
  }
  return { type: 'array', elementType, count, startBytes };
}

/** Walks over strings, waiting only where bytes are missing: vocabularies hold 262144 of them. */
async function skipStrings(reader: HeaderReader, count: number, what: string): Promise<void> {
  const lengthFieldBytes = 8;
  // Even empty strings take this much, so a wrong count is found before any walking.
  if (count * lengthFieldBytes > reader.source.sizeBytes - reader.positionBytes) {
    await reader.require(count * lengthFieldBytes, what);
  }
  for (let index = 0; index < count; index++) {
    const lengthEndBytes = reader.positionBytes + lengthFieldBytes;
    if (lengthEndBytes > reader.bytes.length) await reader.require(lengthFieldBytes, `string ${index} of ${what}`);
    const lowWord = reader.view.getUint32(reader.positionBytes, true);
    const highWord = reader.view.getUint32(reader.positionBytes + 4, true);
    if (highWord !== 0 || lowWord > maximumStringBytes) {
      // Reads the length again, for its message.
      await reader.count(`the length of string ${index} of ${what}`, maximumStringBytes);
    }
    reader.positionBytes = lengthEndBytes;
    if (lengthEndBytes + lowWord > reader.bytes.length) await reader.require(lowWord, `string ${index} of ${what}`);
    reader.positionBytes = lengthEndBytes + lowWord;
  }
}
