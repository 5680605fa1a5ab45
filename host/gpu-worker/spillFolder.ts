/**
 * Keys and values that fit neither the GPU nor RAM, for as long as the model is loaded. They reveal documents, so the
 * folder is the owner's only, and it is removed with the model; what a killed process left is removed by the next one.
 */
import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { allSettled } from '../../engine/allSettled.ts';
import type { BlockStore, SharedTarget, Stretches } from '../../engine/ports.ts';
import { blockThreads } from '../memories/blockThreads.ts';
import { RandomReads } from '../memories/randomReads.ts';

const prefix = 'spill-';

export class SpillFolder implements BlockStore {
  readonly #parent: string;
  /** Made when it is first needed. */
  #folder: string | null = null;
  readonly #files = new Map<string, RandomReads>();
  #count = 0;

  constructor(parent: string) {
    this.#parent = parent;
  }

  async write(name: string, bytes: Uint8Array): Promise<void> {
    this.#folder ??= makeFolder(this.#parent);
    const file = await open(join(this.#folder, String(this.#count++)), 'wx+', 0o600);
    this.#files.set(name, new RandomReads(file, blockThreads));
    await file.writeFile(bytes);
  }

  read(name: string, ranges: readonly { offsetBytes: number; lengthBytes: number }[]): Promise<Uint8Array[]> {
    const file = this.#files.get(name);
    if (!file) throw new Error(`nothing called ${name} was written`);
    return Promise.all(
      ranges.map(async ({ offsetBytes, lengthBytes }) => {
        const bytes = new Uint8Array(lengthBytes);
        if ((await file.read(bytes, offsetBytes)) < lengthBytes) throw new RangeError(`${name} ends before byte ${offsetBytes + lengthBytes}`);
        return bytes;
      }),
    );
  }

  async readShared(runs: readonly (Stretches & { name: string })[], target: SharedTarget): Promise<void> {
    await allSettled(
      runs.map(async (run) => {
        if (await this.#files.get(run.name)?.readShared(run, target, null)) return;
        const bytes = new Uint8Array(target.memory);
        const pieces = await this.read(run.name, run.offsetsBytes.map((offsetBytes) => ({ offsetBytes, lengthBytes: target.lengthBytes })));
        for (const [index, piece] of pieces.entries()) bytes.set(piece, run.placesBytes[index]);
      }),
    );
  }

  async remove(name: string): Promise<void> {
    const file = this.#files.get(name);
    // Another one of this name may be written while this one is still read.
    this.#files.delete(name);
    await file?.close();
  }

  removeAll(): void {
    for (const file of this.#files.values()) void file.close();
    this.#files.clear();
    if (this.#folder) rmSync(this.#folder, { recursive: true, force: true });
    this.#folder = null;
  }
}

function makeFolder(parent: string): string {
  mkdirSync(parent, { recursive: true, mode: 0o700 });
  for (const name of readdirSync(parent)) {
    const pid = new RegExp(`^${prefix}(\\d+)-`).exec(name)?.[1];
    if (pid !== undefined && !isAlive(Number(pid))) void rm(join(parent, name), { recursive: true, force: true });
  }
  return mkdtempSync(join(parent, `${prefix}${process.pid}-`));
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
