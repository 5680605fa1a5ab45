import type { EngineError } from '../../errors.ts';
import { invalid } from './problems.ts';
import { readStrings } from './readStrings.ts';
import { readValue, sizeOfValueType, type ElementTypeName, type FixedTypeName } from './valueTypes.ts';

/** One value as found in the header. Booleans are 0 or 1; 64-bit integers are bigint. */
export type MetadataEntry = FixedEntry | { readonly type: 'string'; readonly value: string } | ArrayEntry;

interface FixedEntry {
  readonly type: FixedTypeName;
  readonly value: number | bigint;
}

/** An array, left as bytes: its elements start at `startBytes` of the file. */
interface ArrayEntry {
  readonly type: 'array';
  readonly elementType: ElementTypeName;
  readonly count: number;
  readonly startBytes: number;
}

/**
 * The key-value pairs of a GGUF file. Each getter returns a value of one kind, and throws
 * `gguf-invalid` with the key and what was found when the key is missing or holds another kind; an
 * `…Or` getter returns its fallback when the key is missing, and still throws for another kind.
 */
export class GgufMetadata {
  private readonly fileName: string;
  private readonly entries: ReadonlyMap<string, MetadataEntry>;
  /** The file's first bytes, which hold the elements of arrays. */
  private readonly header: Uint8Array;

  constructor(fileName: string, entries: ReadonlyMap<string, MetadataEntry>, header: Uint8Array) {
    this.fileName = fileName;
    this.entries = entries;
    this.header = header;
  }

  has(key: string): boolean {
    return this.entries.has(key);
  }

  /** True when the key is there and holds an array, as keys that may differ by layer do. */
  isArray(key: string): boolean {
    return this.entries.get(key)?.type === 'array';
  }

  /** All keys, in the order of the file. */
  keys(): readonly string[] {
    return [...this.entries.keys()];
  }

  string(key: string): string {
    const entry = this.entries.get(key);
    if (entry?.type !== 'string') throw this.mismatch(key, 'a string');
    return entry.value;
  }

  stringOr(key: string, fallback: string): string {
    return this.has(key) ? this.string(key) : fallback;
  }

  /** A whole number of any integer type that JavaScript holds exactly (below 2^53). */
  integer(key: string): number {
    const entry = this.entries.get(key);
    if (!isFixed(entry) || !isInteger(entry.type)) throw this.mismatch(key, 'an integer');
    const value = Number(entry.value);
    if (!Number.isSafeInteger(value)) throw this.mismatch(key, 'an integer below 2^53');
    return value;
  }

  integerOr(key: string, fallback: number): number {
    return this.has(key) ? this.integer(key) : fallback;
  }

  /** A finite number of any integer or floating-point type. */
  number(key: string): number {
    const entry = this.entries.get(key);
    if (!isFixed(entry) || !isNumber(entry.type)) throw this.mismatch(key, 'a number');
    const value = Number(entry.value);
    if (!Number.isFinite(value)) throw this.mismatch(key, 'a finite number');
    return value;
  }

  numberOr(key: string, fallback: number): number {
    return this.has(key) ? this.number(key) : fallback;
  }

  boolean(key: string): boolean {
    const entry = this.entries.get(key);
    if (entry?.type !== 'bool') throw this.mismatch(key, 'a bool');
    return entry.value === 1;
  }

  booleanOr(key: string, fallback: boolean): boolean {
    return this.has(key) ? this.boolean(key) : fallback;
  }

  /** An array of strings, decoded anew at each call; bytes that are not UTF-8 become U+FFFD. */
  strings(key: string): readonly string[] {
    const entry = this.array(key, 'an array of strings', (type) => type === 'string');
    return readStrings(this.header, entry.startBytes, entry.count);
  }

  stringsOr(key: string, fallback: readonly string[]): readonly string[] {
    return this.has(key) ? this.strings(key) : fallback;
  }

  /** An array of integers or floats, decoded anew at each call; 64-bit integers round to 53 bits. */
  numbers(key: string): readonly number[] {
    const entry = this.array(key, 'an array of numbers', isNumber);
    return this.elements(entry, Number);
  }

  numbersOr(key: string, fallback: readonly number[]): readonly number[] {
    return this.has(key) ? this.numbers(key) : fallback;
  }

  /** An array of bools, decoded anew at each call; any byte but 0 is true. */
  booleans(key: string): readonly boolean[] {
    const entry = this.array(key, 'an array of bools', (type) => type === 'bool');
    return this.elements(entry, Boolean);
  }

  booleansOr(key: string, fallback: readonly boolean[]): readonly boolean[] {
    return this.has(key) ? this.booleans(key) : fallback;
  }

  private array(key: string, expected: string, accepts: (type: ElementTypeName) => boolean): ArrayEntry {
    const entry = this.entries.get(key);
    if (entry?.type !== 'array' || !accepts(entry.elementType)) throw this.mismatch(key, expected);
    return entry;
  }

  private elements<T>(entry: ArrayEntry, convert: (value: number | bigint) => T): T[] {
    const type = entry.elementType as FixedTypeName;
    const sizeBytes = sizeOfValueType(type);
    const view = new DataView(this.header.buffer, this.header.byteOffset, this.header.byteLength);
    return Array.from({ length: entry.count }, (_, index) =>
      convert(readValue(view, entry.startBytes + index * sizeBytes, type)),
    );
  }

  private mismatch(key: string, expected: string): EngineError {
    const entry = this.entries.get(key);
    if (entry === undefined) return invalid(this.fileName, `the key "${key}" is missing; ${expected} was expected`);
    return invalid(this.fileName, `the key "${key}" should hold ${expected}, but it holds ${describe(entry)}`);
  }
}

function isFixed(entry: MetadataEntry | undefined): entry is FixedEntry {
  return entry !== undefined && entry.type !== 'string' && entry.type !== 'array';
}

function isNumber(type: ElementTypeName): boolean {
  return type !== 'bool' && type !== 'string';
}

function isInteger(type: ElementTypeName): boolean {
  return isNumber(type) && type !== 'float32' && type !== 'float64';
}

function describe(entry: MetadataEntry): string {
  if (entry.type === 'array') return `an array of ${entry.count} ${entry.elementType}`;
  if (entry.type === 'bool') return `the bool ${entry.value === 1}`;
  if (entry.type !== 'string') return `the ${entry.type} ${entry.value}`;
  const text = entry.value.length > 40 ? `${entry.value.slice(0, 40)}…` : entry.value;
  return `the string ${JSON.stringify(text)}`;
}
