/**
 * The models at hand: files in the models folder named by id, and what is known of them. A file gets its
 * row only when it is whole and checked, so a partial model is never listed.
 */
import { existsSync } from 'node:fs';
import { chmod, constants, copyFile, link, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { type CatalogueEntry, type DownloadTarget, type ModelRecord, licence, modelRecord } from '../contract/entities.ts';
import { HostError } from '../errors.ts';
import type { Database } from '../storage/database.ts';
import { formatBytes, quoted } from '../wording.ts';
import { freeBytes } from './freeSpace.ts';
import { hashFile } from './hashFile.ts';
import { type ModelHeader, inspectModel } from './inspectModel.ts';

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
});
const columns = 'id, name, file_name, architecture, quantisation, parameters, size_bytes, sha256, context_tokens, chat, licence, added_at_ms';

export class ModelStore {
  readonly #database: Database;
  readonly #folder: string;
  readonly #catalogue: readonly CatalogueEntry[];

  constructor(database: Database, folder: string, catalogue: readonly CatalogueEntry[]) {
    this.#database = database;
    this.#folder = folder;
    this.#catalogue = catalogue;
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

  path(modelId: string): string {
    return join(this.#folder, `${modelId}.gguf`);
  }

  /** Hard-links the file where the file system allows it, else copies it; a moved-in file is renamed. */
  async importFile(path: string, fileName: string, ownership: 'keep' | 'move'): Promise<ModelRecord> {
    const header = await inspectModel(path, fileName);
    const sha256 = await hashFile(path);
    const known = this.list().find((model) => model.sha256 === sha256);
    if (known?.state === 'ready') return known;
    const entry = this.#catalogue.find((candidate) => candidate.sha256 === sha256);
    const id = known?.id ?? this.#freeId(entry?.id ?? fileName);
    await this.#place(path, this.path(id), fileName, header.sizeBytes, ownership);
    return known ? this.get(known.id) : this.#insert(id, header, fileName, sha256, entry);
  }

  /** A download that is whole, checked and synced: renamed into place. */
  async adoptDownload([path]: readonly string[], target: DownloadTarget): Promise<ModelRecord> {
    const [file] = target.files;
    if (!path || !file) throw new Error('a download without a file');
    const header = await inspectModel(path, file.fileName);
    const known = this.list().find((model) => model.sha256 === file.sha256);
    const id = known?.id ?? this.#freeId(target.id);
    await takeOver(path, this.path(id));
    return known ? this.get(known.id) : this.#insert(id, header, file.fileName, file.sha256, target);
  }

  async verify(modelId: string): Promise<{ ok: boolean; sha256: string; failure: ReturnType<typeof changedFile> | null }> {
    const model = this.get(modelId);
    if (model.state === 'missing') throw missingFile(model);
    const sha256 = await hashFile(this.path(modelId));
    const ok = model.sha256 === null || model.sha256 === sha256;
    return { ok, sha256, failure: ok ? null : changedFile(model, sha256) };
  }

  async remove(modelId: string): Promise<void> {
    this.get(modelId);
    this.#database.run('DELETE FROM models WHERE id = ?', modelId);
    await rm(this.path(modelId), { force: true });
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

  /** The model to answer with when none was chosen. */
  defaultModel(preferredId: string | null): ModelRecord {
    const ready = this.list().filter((model) => model.state === 'ready');
    const chosen = ready.find((model) => model.id === preferredId) ?? ready[0];
    if (chosen) return chosen;
    throw new HostError('no-model', 'There is no model on this machine yet.', 'Download the starter model or import a GGUF file by hand.');
  }

  async #place(from: string, to: string, name: string, sizeBytes: number, ownership: 'keep' | 'move'): Promise<void> {
    await rm(to, { force: true });
    const moved = await (ownership === 'move' ? rename(from, to) : link(from, to)).then(
      () => true,
      // Another file system, or one without links: copy.
      () => false,
    );
    if (moved) return;
    const free = await freeBytes(this.#folder);
    if (free < sizeBytes) {
      throw new HostError(
        'disk-full',
        `${quoted(name)} needs ${formatBytes(sizeBytes)}, but only ${formatBytes(free)} are free for models.`,
        'Free some space and import it again.',
      );
    }
    const part = `${to}.part`;
    try {
      await copyFile(from, part, constants.COPYFILE_FICLONE);
      await chmod(part, 0o600);
      await rename(part, to);
    } catch (error) {
      await rm(part, { force: true });
      throw error;
    }
  }

  #insert(id: string, header: ModelHeader, fileName: string, sha256: string, entry: Pick<DownloadTarget, 'name' | 'licence'> | undefined): ModelRecord {
    this.#database.run(
      `INSERT INTO models (${columns}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      id,
      entry?.name ?? header.name,
      fileName,
      header.architecture,
      header.quantisation,
      header.parameters,
      header.sizeBytes,
      sha256,
      header.contextTokens,
      header.chat ? 1 : 0,
      entry?.licence ? JSON.stringify(entry.licence) : null,
      Date.now(),
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
      state: existsSync(this.path(row.id)) ? 'ready' : 'missing',
      addedAtMs: row.added_at_ms,
    });
  }
}

/** Until its row is written the part stays, too: a kill in between costs nothing. Where there are no hard links it moves. */
async function takeOver(from: string, to: string): Promise<void> {
  await rm(to, { force: true });
  await link(from, to).catch(() => rename(from, to));
}

export function missingFile(model: ModelRecord): HostError {
  return new HostError(
    'model-missing',
    `The file of ${model.name} (${model.fileName}) is no longer in the models folder.`,
    'Import the file again, or remove the model and download it again.',
  );
}

function changedFile(model: ModelRecord, sha256: string) {
  return {
    code: 'checksum-mismatch',
    message: `The file of ${model.name} has changed: its SHA-256 is ${sha256}, not ${model.sha256}.`,
    remedy: 'Remove the model and download or import it again.',
  };
}
