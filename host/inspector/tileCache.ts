/** Tiles and other views that were computed, in one folder, each named by what it shows; those used longest ago go first. */
import { createHash } from 'node:crypto';
import { readdirSync, statSync } from 'node:fs';
import { mkdir, readFile, rename, rm, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { deflateSync, inflateSync } from 'node:zlib';
import type * as z from 'zod';

const mostBytes = 256 * 1024 * 1024;

export class TileCache {
  readonly #folder: string;
  readonly #mostBytes: number;
  /** By name, the one used longest ago first; read from the folder when it is first asked for. */
  #sizes: Map<string, number> | undefined;
  #bytes = 0;

  constructor(folder: string, limitBytes = mostBytes) {
    this.#folder = folder;
    this.#mostBytes = limitBytes;
  }

  /** undefined when there is none; one that cannot be read is none. */
  async find<T>(content: unknown, shown: z.ZodType<T>): Promise<T | undefined> {
    const name = nameOf(content);
    const sizeBytes = this.#known().get(name);
    if (sizeBytes === undefined) return undefined;
    try {
      const path = join(this.#folder, name);
      const found = shown.parse(JSON.parse(inflateSync(await readFile(path)).toString('utf8')));
      this.#touch(name, sizeBytes);
      void utimes(path, new Date(), new Date()).catch(() => undefined);
      return found;
    } catch {
      this.#forget(name);
      return undefined;
    }
  }

  /** A full disk is no reason not to show a tile: it is only not kept. */
  async keep(content: unknown, shown: object): Promise<void> {
    const name = nameOf(content);
    const bytes = deflateSync(JSON.stringify(shown), { level: 1 });
    const path = join(this.#folder, name);
    try {
      await mkdir(this.#folder, { recursive: true, mode: 0o700 });
      await writeFile(`${path}.part`, bytes, { mode: 0o600 });
      await rename(`${path}.part`, path);
    } catch {
      await rm(`${path}.part`, { force: true });
      return;
    }
    this.#touch(name, bytes.length);
    for (const oldest of this.#known().keys()) {
      if (this.#bytes <= this.#mostBytes) break;
      this.#forget(oldest);
      await rm(join(this.#folder, oldest), { force: true });
    }
  }

  #known(): Map<string, number> {
    if (this.#sizes) return this.#sizes;
    const found = listed(this.#folder).sort((a, b) => a.usedAtMs - b.usedAtMs);
    this.#sizes = new Map(found.map(({ name, sizeBytes }) => [name, sizeBytes]));
    this.#bytes = found.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
    return this.#sizes;
  }

  #touch(name: string, sizeBytes: number): void {
    const sizes = this.#known();
    this.#forget(name);
    sizes.set(name, sizeBytes);
    this.#bytes += sizeBytes;
  }

  #forget(name: string): void {
    const sizes = this.#known();
    this.#bytes -= sizes.get(name) ?? 0;
    sizes.delete(name);
  }
}

function nameOf(content: unknown): string {
  return createHash('sha256').update(JSON.stringify(content)).digest('hex');
}

function listed(folder: string): { name: string; sizeBytes: number; usedAtMs: number }[] {
  try {
    return readdirSync(folder)
      .filter((name) => /^[0-9a-f]{64}$/.test(name))
      .map((name) => {
        const { size, mtimeMs } = statSync(join(folder, name));
        return { name, sizeBytes: size, usedAtMs: mtimeMs };
      });
  } catch {
    return [];
  }
}
