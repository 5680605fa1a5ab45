/**
 * Small checksummed JSON files: `{…}\n` and the CRC-32 of that line in hexadecimal. A record is replaced
 * by a new file that is renamed over it, so that there is always the old one or the new one.
 */
import { crc32 } from 'node:zlib';
import type * as z from 'zod';
import { MemoryDamagedError } from './failures.ts';
import type { FileSystem } from './fileSystem.ts';

const checksumCharacters = 9;

export function encodeRecord(value: unknown): Uint8Array {
  const line = Buffer.from(`${JSON.stringify(value)}\n`);
  return Buffer.concat([line, Buffer.from(checksumOf(line))]);
}

/**
 * `where` names the file in failures.
 * @throws MemoryDamagedError when the bytes are not exactly what `encodeRecord` wrote.
 */
export function decodeRecord<T>(bytes: Uint8Array, schema: z.ZodType<T>, where: { key: string | null; file: string }, remedy?: string): T {
  const line = bytes.subarray(0, Math.max(0, bytes.length - checksumCharacters));
  const checksum = Buffer.from(bytes.subarray(line.length)).toString('latin1');
  if (line.length === 0 || checksum !== checksumOf(line)) throw new MemoryDamagedError(where, 'its checksum does not match', remedy);
  const parsed = schema.safeParse(parseJson(Buffer.from(line).toString('utf8')));
  if (!parsed.success) throw new MemoryDamagedError(where, 'it is of another version of Longleaf, or incomplete', remedy);
  return parsed.data;
}

/** Undefined where it is none: whoever can write a checksum may still write nonsense. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function checksumOf(line: Uint8Array): string {
  return `${crc32(line).toString(16).padStart(8, '0')}\n`;
}

/** Puts a record in `folder` durably; after a crash a `.part` may be left beside it. */
export async function replaceRecord(files: FileSystem, folder: string, name: string, value: unknown): Promise<void> {
  const temporary = `${folder}/${name}.part`;
  try {
    await writeNewFile(files, temporary, [encodeRecord(value)]);
    await files.rename(temporary, `${folder}/${name}`);
  } catch (error) {
    await files.removeFile(temporary).catch(() => undefined);
    throw error;
  }
  await files.syncFolder(folder);
}

/** Writes and syncs a file; its name is durable only after its folder is synced. */
export async function writeNewFile(files: FileSystem, path: string, pieces: Iterable<Uint8Array>): Promise<void> {
  const file = await files.createFile(path);
  try {
    for (const piece of pieces) await file.append(piece);
    await file.sync();
  } finally {
    await file.close();
  }
}
