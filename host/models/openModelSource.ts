/** A model on disk as the engine reads it: one file, or all parts of a split one. */
import { readdir } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { joinParts } from '../../engine/formats/gguf/joinParts.ts';
import type { WeightSource } from '../../engine/ports.ts';
import { HostError } from '../errors.ts';
import { quoted } from '../wording.ts';
import { FileWeightSource } from './fileWeightSource.ts';

export type ModelSource = WeightSource & { close(): Promise<void> };

const partName = /^(.*)-(\d{5})-of-(\d{5})\.gguf$/i;

/** What a name says of a part of a split model; null for a file that is a whole model. */
export function splitName(name: string): { stem: string; index: number; count: number } | null {
  const [, stem, number, of] = partName.exec(name) ?? [];
  const count = Number(of);
  return stem === undefined || !(count > 1) ? null : { stem, index: Number(number) - 1, count };
}

export function nameOfPart(stem: string, index: number, count: number): string {
  return `${stem}-${String(index + 1).padStart(5, '0')}-of-${String(count).padStart(5, '0')}.gguf`;
}

/** All files of the model that `path` belongs to, in order. Throws `file-not-found` when one is missing. */
export async function modelFiles(path: string): Promise<string[]> {
  const split = splitName(basename(path));
  if (!split) return [path];
  const there = new Set(await readdir(dirname(path)).catch(() => []));
  return Array.from({ length: split.count }, (_, index) => {
    const name = nameOfPart(split.stem, index, split.count);
    if (!there.has(name)) throw new HostError('file-not-found', `${quoted(name)}, a part of the model, is not beside the others.`, 'Put all parts into one folder.');
    return join(dirname(path), name);
  });
}

/** `name`: for messages, when the file is not called what the person knows it by. */
export async function openModelSource(path: string, name = basename(path)): Promise<ModelSource> {
  const paths = await modelFiles(path);
  if (paths.length === 1) return FileWeightSource.open(path, name);
  const parts: FileWeightSource[] = [];
  const close = async () => void (await Promise.all(parts.map((part) => part.close())));
  try {
    for (const file of paths) parts.push(await FileWeightSource.open(file));
    return Object.assign(await joinParts(parts), { close });
  } catch (error) {
    await close();
    throw error;
  }
}
