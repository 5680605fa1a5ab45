/** Copies what belongs to a data folder into another one, file by file, and reads every copy again before it counts. */
import { createHash } from 'node:crypto';
import { chmod, link, lstat, mkdir, open, readdir, rename, rm, utimes } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { HostError, cancelled } from '../errors.ts';

const pieceBytes = 1 << 20;
const zeros = Buffer.alloc(pieceBytes);

export interface FoundFile {
  /** Below the folder. */
  path: string;
  sizeBytes: number;
  /** On the disk: less than its size where it has holes, as a download on its way has. */
  takenBytes: number;
}

export interface CopyOptions {
  signal: AbortSignal;
  /** Bytes of the disk that have been copied, or found to be there, and bytes that were read again. */
  onProgress(bytes: number): void;
}

/** All files below `names` of `root`; links and the like are none of ours. */
export async function findFiles(root: string, names: readonly string[]): Promise<FoundFile[]> {
  const found: FoundFile[] = [];
  const visit = async (path: string): Promise<void> => {
    const entry = await lstat(join(root, path)).catch(() => null);
    if (entry?.isDirectory()) for (const name of (await readdir(join(root, path))).sort()) await visit(join(path, name));
    else if (entry?.isFile()) found.push({ path, sizeBytes: entry.size, takenBytes: Math.min(entry.size, entry.blocks * 512) });
  };
  for (const name of names) await visit(name);
  return found;
}

/** Whether files can be given a second name over there instead of being copied. `to` exists. */
export async function canLink(from: string, to: string): Promise<boolean> {
  const probe = join(from, '.longleaf-probe');
  const second = join(to, '.longleaf-probe');
  try {
    await (await open(probe, 'w', 0o600)).close();
    await rm(second, { force: true });
    await link(probe, second);
    return true;
  } catch {
    return false;
  } finally {
    await rm(probe, { force: true });
    await rm(second, { force: true });
  }
}

/** Whatever is below `names` of `to` afterwards is the same as in `from`; what an earlier try has copied is not copied again. */
export async function copyFiles(from: string, to: string, names: readonly string[], files: readonly FoundFile[], { signal, onProgress }: CopyOptions): Promise<void> {
  const wanted = new Set(files.map(({ path }) => path));
  for (const { path } of await findFiles(to, names)) if (!wanted.has(path)) await rm(join(to, path));
  for (const file of files) {
    await mkdir(dirname(join(to, file.path)), { recursive: true, mode: 0o700 });
    await copyFile(join(from, file.path), join(to, file.path), signal, onProgress);
  }
  for (const folder of new Set(files.map(({ path }) => dirname(join(to, path))))) await syncFolder(folder);
}

async function copyFile(from: string, to: string, signal: AbortSignal, onProgress: (bytes: number) => void): Promise<void> {
  if (signal.aborted) throw cancelled();
  const source = await lstat(from);
  const takenBytes = Math.min(source.size, source.blocks * 512);
  const there = await lstat(to).catch(() => null);
  const isLinked = there !== null && there.dev === source.dev && there.ino === source.ino;
  if (isLinked || (there?.size === source.size && (await digestOf(from, signal)) === (await digestOf(to, signal)))) return onProgress(2 * takenBytes);
  await rm(to, { force: true });
  // On the same drive a second name is all it takes; the first one stays until the move has come to its end.
  if (await link(from, to).then(() => true, () => false)) return onProgress(2 * takenBytes);
  const part = `${to}.moving`;
  try {
    const digest = await write(from, part, signal, onProgress);
    if ((await digestOf(part, signal, onProgress)) !== digest) {
      throw new HostError('data-folder-target', `${to} does not read back as it was written.`, 'The drive may be failing: choose another one. Everything is still where it was.');
    }
    await chmod(part, source.mode & 0o777);
    await utimes(part, source.atime, source.mtime);
    await rename(part, to);
  } catch (error) {
    await rm(part, { force: true });
    throw error;
  }
}

/** Holes stay holes. Returns the SHA-256 of what was read. */
async function write(from: string, to: string, signal: AbortSignal, onProgress: (bytes: number) => void): Promise<string> {
  const hash = createHash('sha256');
  const source = await open(from, 'r');
  const target = await open(to, 'w', 0o600).catch(async (error: unknown) => {
    await source.close();
    throw error;
  });
  try {
    const buffer = Buffer.alloc(pieceBytes);
    let position = 0;
    for (;;) {
      if (signal.aborted) throw cancelled();
      const { bytesRead } = await source.read(buffer, 0, pieceBytes, position);
      if (bytesRead === 0) break;
      const piece = buffer.subarray(0, bytesRead);
      hash.update(piece);
      if (!piece.equals(zeros.subarray(0, bytesRead))) {
        await target.write(piece, 0, bytesRead, position);
        onProgress(bytesRead);
      }
      position += bytesRead;
    }
    await target.truncate(position);
    await target.sync();
  } finally {
    await source.close();
    await target.close();
  }
  return hash.digest('hex');
}

async function digestOf(path: string, signal: AbortSignal, onProgress: (bytes: number) => void = () => undefined): Promise<string> {
  const hash = createHash('sha256');
  const file = await open(path, 'r');
  try {
    const buffer = Buffer.alloc(pieceBytes);
    for (;;) {
      if (signal.aborted) throw cancelled();
      const { bytesRead } = await file.read(buffer, 0, pieceBytes);
      if (bytesRead === 0) return hash.digest('hex');
      hash.update(buffer.subarray(0, bytesRead));
      onProgress(bytesRead);
    }
  } finally {
    await file.close();
  }
}

/** Names that were given last a power cut only once their folder is written. */
async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r').catch(() => null);
  // Windows opens no folders.
  await folder?.sync().catch(() => undefined);
  await folder?.close();
}
