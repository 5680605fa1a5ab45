/**
 * The models at hand: files in the models folder named by id, or wherever else they are, and what is known of them. A
 * model gets its row only when it is whole and checked, so a partial one is never listed.
 */
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { chmod, constants, copyFile, link, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, isAbsolute, join, resolve } from 'node:path';
import * as z from 'zod';
import { type CatalogueEntry, type DownloadTarget, type ModelRecord, licence, modelRecord } from '../contract/entities.ts';
import { HostError } from '../errors.ts';
import type { Database } from '../storage/database.ts';
import { PassingFiles } from '../storage/passingFiles.ts';
import { formatBytes, quoted } from '../wording.ts';
import { freeBytes } from './freeSpace.ts';
import { hashFile } from './hashFile.ts';
import { type ModelHeader, inspectModel } from './inspectModel.ts';
import { changedFile, missingFile } from './modelFileFailures.ts';
import { modelFiles, nameOfPart, splitName } from './openModelSource.ts';

const modelRow = z.object({
  id: z.string(),
  name: z.string(),
  file_name: z.string(),
  architecture: z.string(),
  quantisation: z.string(),
  parameters: z.number(),
  size_bytes: z.number(),
  sha256: z.string().nullable(),
  context_tokens: z.number(),
  chat: z.number(),
  licence: z.string().nullable(),
  added_at_ms: z.number(),
  path: z.string().nullable(),
  owned: z.number(),
  parts: z.string().nullable(),
});
const columns = 'id, name, file_name, architecture, quantisation, parameters, size_bytes, sha256, context_tokens, chat, licence, added_at_ms, path, owned, parts';
const partList = z.array(z.object({ name: z.string(), sha256: z.string().nullable() }));
type PartList = z.infer<typeof partList>;

/** `keep`: a hard link where that can be, else a copy. `link`: the file is used where it is. */
export type Ownership = 'keep' | 'move' | 'copy' | 'link';

interface Placed {
  /** Of the first file; null: in the models folder under the id. */
  path: string | null;
  owned: boolean;
  parts: PartList | null;
}

export class ModelStore {
  readonly #database: Database;
  readonly #folder: string;
  readonly #passing: PassingFiles;
  readonly #catalogue: readonly CatalogueEntry[];
  readonly #capBytes: () => number | null;

  /** `capBytes`: the most that models may take; null: as much as the disk has. */
  constructor(database: Database, folder: string, catalogue: readonly CatalogueEntry[], capBytes: () => number | null = () => null) {
    this.#database = database;
    this.#folder = folder;
    this.#passing = new PassingFiles(database, 'model', folder);
    this.#catalogue = catalogue;
    this.#capBytes = capBytes;
  }

  list(): ModelRecord[] {
    return this.#database.all(modelRow, `SELECT ${columns} FROM models ORDER BY added_at_ms, rowid`).map((row) => this.#toRecord(row));
  }

  find(modelId: string): ModelRecord | undefined {
    const row = this.#database.first(modelRow, `SELECT ${columns} FROM models WHERE id = ?`, modelId);
    return row && this.#toRecord(row);
  }

  get(modelId: string): ModelRecord {
    const found = this.find(modelId);
    if (!found) throw new HostError('model-not-found', `There is no model “${modelId}” here.`, 'Choose another model, or import its file again.');
    return found;
  }

  /** Whether it is byte for byte one that we offer, in a file that is ours: one that is used where it is may have changed. */
  isOfCatalogue({ sha256, owned }: ModelRecord): boolean {
    return owned && this.#catalogue.some((entry) => entry.sha256 === sha256);
  }

  /** Whether what a download is to become is here already. */
  holds({ files }: DownloadTarget): boolean {
    const sha256 = identityOf(files.map((file) => file.sha256));
    return this.list().some((model) => model.sha256 === sha256 && model.state === 'ready');
  }

  /** Of its file; of a split model, its first part. */
  path(modelId: string): string {
    return this.#placed(modelId) ?? this.#ownPath(modelId);
  }

  /** All its files, in order. */
  files(modelId: string): string[] {
    const path = this.path(modelId);
    const row = this.#database.first(modelRow, `SELECT ${columns} FROM models WHERE id = ?`, modelId);
    return partsOf(row?.parts ?? null)?.map(({ name }) => join(dirname(path), name)) ?? [path];
  }

  /** Throws `models-cap` when so many bytes more are not wanted. */
  checkCap(bytes: number): void {
    const cap = this.#capBytes();
    if (cap === null) return;
    const used = this.list().reduce((sum, model) => sum + (model.owned ? model.sizeBytes : 0), 0);
    if (used + bytes <= cap) return;
    throw new HostError(
      'models-cap',
      `Models may take ${formatBytes(cap)}; those that are here take ${formatBytes(used)}, and this one needs ${formatBytes(bytes)}.`,
      'Remove a model, or raise the limit on the page Storage.',
    );
  }

  async importFile(path: string, fileName: string, ownership: Ownership): Promise<ModelRecord> {
    const header = await inspectModel(path, fileName);
    const files = await modelFiles(path);
    const sizeBytes = await sizeOf(files);
    const digests: string[] = [];
    for (const file of files) digests.push(await hashFile(file));
    const sha256 = identityOf(digests);
    const known = this.list().find((model) => model.sha256 === sha256);
    if (known?.state === 'ready') return known;
    const entry = this.#catalogue.find((candidate) => candidate.sha256 === sha256);
    const id = known?.id ?? this.#freeId(entry?.id ?? splitName(fileName)?.stem ?? fileName);
    const placed = ownership === 'link' ? await linked(path, digests) : await this.#takeIn(files, digests, id, fileName, ownership);
    const model = known ? this.#move(known.id, placed) : this.#insert(id, header, fileName, sha256, entry, placed, sizeBytes);
    this.#passing.forget(withGrowing(this.files(model.id)));
    return model;
  }

  /** A file found in a folder of models, used where it is. It is not read to its end, so its digest is not known. */
  async adoptLinked(path: string): Promise<ModelRecord> {
    const fileName = basename(path);
    const known = this.list().find(({ id }) => this.path(id) === path);
    if (known) return known;
    const header = await inspectModel(path, fileName);
    const files = await modelFiles(path);
    const id = this.#freeId(splitName(fileName)?.stem ?? fileName);
    const parts = files.length > 1 ? files.map((file) => ({ name: basename(file), sha256: null })) : null;
    return this.#insert(id, header, fileName, null, undefined, { path, owned: false, parts }, await sizeOf(files));
  }

  /** Downloaded files that are whole, checked and synced, in order: they get their names. */
  async adoptDownload(paths: readonly string[], target: DownloadTarget): Promise<ModelRecord> {
    const digests = target.files.map(({ sha256 }) => sha256);
    const sha256 = identityOf(digests);
    const known = this.list().find((model) => model.sha256 === sha256);
    const id = known?.id ?? this.#freeId(target.id);
    const folder = dirname(paths[0] ?? this.#folder);
    const names = fileNames(folder === this.#folder ? id : (splitName(target.files[0]?.fileName ?? '')?.stem ?? id), paths.length);
    const finals = names.map((name) => join(folder, name));
    for (const [index, final] of finals.entries()) await takeOver(paths[index] ?? '', final);
    const [first = ''] = finals;
    const fileName = target.files[0]?.fileName ?? basename(first);
    try {
      const header = await inspectModel(first, paths.length === 1 ? fileName : basename(first));
      const parts = paths.length > 1 ? names.map((name, index) => ({ name, sha256: digests[index] ?? null })) : null;
      const placed = { path: folder === this.#folder && !parts ? null : this.#stored(first), owned: true, parts };
      if (known) return this.#move(known.id, placed);
      return this.#insert(id, header, fileName, sha256, target, placed, target.files.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0));
    } catch (error) {
      for (const final of finals) await rm(final, { force: true });
      throw error;
    }
  }

  async verify(modelId: string): Promise<{ ok: boolean; sha256: string; failure: ReturnType<typeof changedFile> | null }> {
    const model = this.get(modelId);
    if (model.state === 'missing') throw missingFile(model);
    const digests: string[] = [];
    for (const file of this.files(modelId)) digests.push(await hashFile(file));
    const sha256 = identityOf(digests);
    const ok = model.sha256 === null || model.sha256 === sha256;
    return { ok, sha256, failure: ok ? null : changedFile(model, sha256) };
  }

  /** A file that is used where it is stays there. */
  async remove(modelId: string): Promise<void> {
    const files = this.get(modelId).owned ? this.files(modelId) : [];
    this.#database.transaction(() => {
      this.#database.run('DELETE FROM models WHERE id = ?', modelId);
      this.#passing.note(files);
    });
    for (const file of files) await rm(file, { force: true });
    this.#passing.forget(files);
  }

  /** What a kill has left of models that were being imported or removed. */
  removeLeft(): Promise<void> {
    const kept = new Set(this.list().flatMap(({ id }) => this.files(id)));
    return this.#passing.removeLeft((path) => kept.has(path));
  }

  readingSpeed(modelId: string): number | null {
    const row = this.#database.first(
      z.object({ reading_tokens_per_second: z.number().nullable() }),
      'SELECT reading_tokens_per_second FROM models WHERE id = ?',
      modelId,
    );
    return row?.reading_tokens_per_second ?? null;
  }

  rememberReadingSpeed(modelId: string, tokensPerSecond: number): void {
    this.#database.run('UPDATE models SET reading_tokens_per_second = ? WHERE id = ?', tokensPerSecond, modelId);
  }

  /** The model to answer with when none was chosen. @throws `no-model`; `model-missing` when there are some, but none is where it was. */
  defaultModel(preferredId: string | null): ModelRecord {
    const models = this.list();
    const ready = models.filter((model) => model.state === 'ready');
    const chosen = ready.find((model) => model.id === preferredId) ?? ready[0];
    if (chosen) return chosen;
    // A drive that is away is another thing than no model.
    const away = models.find((model) => model.id === preferredId) ?? models[0];
    if (away) throw missingFile(away);
    throw new HostError('no-model', 'There is no model on this machine yet.', 'Download the starter model or import a GGUF file by hand.');
  }

  #ownPath(modelId: string): string {
    return join(this.#folder, `${modelId}.gguf`);
  }

  #placed(modelId: string): string | null {
    const row = this.#database.first(z.object({ path: z.string().nullable() }), 'SELECT path FROM models WHERE id = ?', modelId);
    return row?.path ? resolve(this.#folder, row.path) : null;
  }

  /** Inside the data folder, relative to it: it may be moved. */
  #stored(path: string): string {
    return dirname(path) === this.#folder ? basename(path) : path;
  }

  async #takeIn(files: readonly string[], digests: readonly string[], id: string, fileName: string, ownership: Exclude<Ownership, 'link'>): Promise<Placed> {
    this.checkCap(await sizeOf(files));
    const names = fileNames(id, files.length);
    const finals = names.map((name) => join(this.#folder, name));
    this.#database.transaction(() => this.#passing.note(withGrowing(finals)));
    for (const [index, file] of files.entries()) await this.#place(file, finals[index] ?? '', fileName, ownership);
    if (files.length === 1) return { path: null, owned: true, parts: null };
    return { path: names[0] ?? null, owned: true, parts: names.map((name, index) => ({ name, sha256: digests[index] ?? null })) };
  }

  async #place(from: string, to: string, name: string, ownership: Exclude<Ownership, 'link'>): Promise<void> {
    await rm(to, { force: true });
    const moved =
      ownership !== 'copy' &&
      (await (ownership === 'move' ? rename(from, to) : link(from, to)).then(
        () => true,
        // Another file system, or one without links: copy.
        () => false,
      ));
    if (moved) return;
    const { size: sizeBytes } = await stat(from);
    const free = await freeBytes(this.#folder);
    if (free < sizeBytes) {
      throw new HostError(
        'disk-full',
        `${quoted(name)} needs ${formatBytes(sizeBytes)}, but only ${formatBytes(free)} are free for models.`,
        'Free some space and import it again.',
      );
    }
    const part = growingName(to);
    try {
      await copyFile(from, part, constants.COPYFILE_FICLONE);
      await chmod(part, 0o600);
      await rename(part, to);
    } catch (error) {
      await rm(part, { force: true });
      throw error;
    }
  }

  #move(id: string, { path, owned, parts }: Placed): ModelRecord {
    this.#database.run('UPDATE models SET path = ?, owned = ?, parts = ? WHERE id = ?', path, owned ? 1 : 0, parts && JSON.stringify(parts), id);
    return this.get(id);
  }

  #insert(
    id: string,
    header: ModelHeader,
    fileName: string,
    sha256: string | null,
    entry: Pick<DownloadTarget, 'name' | 'licence'> | undefined,
    { path, owned, parts }: Placed,
    sizeBytes: number,
  ): ModelRecord {
    this.#database.run(
      `INSERT INTO models (${columns}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      id,
      entry?.name ?? header.name,
      fileName,
      header.architecture,
      header.quantisation,
      header.parameters,
      sizeBytes,
      sha256,
      header.contextTokens,
      header.chat ? 1 : 0,
      entry?.licence ? JSON.stringify(entry.licence) : null,
      Date.now(),
      path,
      owned ? 1 : 0,
      parts && JSON.stringify(parts),
    );
    return this.get(id);
  }

  #freeId(name: string): string {
    const slug =
      name
        .replace(/\.gguf$/i, '')
        .toLowerCase()
        .replaceAll(/[^a-z0-9_]+/g, '-')
        .replaceAll(/^-+|-+$/g, '')
        .slice(0, 56) || 'model';
    let id = slug;
    for (let number = 2; this.find(id); number += 1) id = `${slug}-${number}`;
    return id;
  }

  #toRecord(row: z.infer<typeof modelRow>): ModelRecord {
    return modelRecord.parse({
      id: row.id,
      name: row.name,
      fileName: row.file_name,
      architecture: row.architecture,
      quantisation: row.quantisation,
      parameters: row.parameters,
      sizeBytes: row.size_bytes,
      sha256: row.sha256,
      contextTokens: row.context_tokens,
      chat: row.chat === 1,
      licence: row.licence === null ? null : licence.parse(JSON.parse(row.licence)),
      state: this.files(row.id).every((file) => existsSync(file)) ? 'ready' : 'missing',
      place: row.path !== null && isAbsolute(row.path) ? dirname(row.path) : null,
      owned: row.owned === 1,
      addedAtMs: row.added_at_ms,
    });
  }
}

/** One file goes by its digest, a split model by those of its parts. */
function identityOf(digests: readonly string[]): string {
  const [only = ''] = digests;
  return digests.length === 1 ? only : createHash('sha256').update(digests.join('\n')).digest('hex');
}

function growingName(path: string): string {
  return `${path}.part`;
}

/** With what copies are called until they are whole. */
function withGrowing(finals: readonly string[]): string[] {
  return [...finals, ...finals.map(growingName)];
}

function fileNames(stem: string, count: number): string[] {
  return count === 1 ? [`${stem}.gguf`] : Array.from({ length: count }, (_, index) => nameOfPart(stem, index, count));
}

function partsOf(json: string | null): PartList | null {
  return json === null ? null : partList.parse(JSON.parse(json));
}

async function linked(path: string, digests: readonly string[]): Promise<Placed> {
  const files = await modelFiles(path);
  return { path: resolve(path), owned: false, parts: files.length > 1 ? files.map((file, index) => ({ name: basename(file), sha256: digests[index] ?? null })) : null };
}

async function sizeOf(files: readonly string[]): Promise<number> {
  let bytes = 0;
  for (const file of files) bytes += (await stat(file)).size;
  return bytes;
}

/** Until its row is written the part stays, too: a kill in between costs nothing. Where there are no hard links it moves. */
async function takeOver(from: string, to: string): Promise<void> {
  await rm(to, { force: true });
  await link(from, to).catch(() => rename(from, to));
}
