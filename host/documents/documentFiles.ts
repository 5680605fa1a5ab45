/** The files of a document in the library's folder, all named by its id. */
import { copyFile, open, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { ParsedDocument } from '../contract/documentModel.ts';
import { structureFile, textFile } from './parser/parse.ts';

export class DocumentFiles {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  text(documentId: string): string {
    return join(this.#folder, `${documentId}.txt`);
  }

  /** One page a line, as JSON. */
  structure(documentId: string): string {
    return join(this.#folder, `${documentId}.jsonl`);
  }

  /** The file itself, kept for what the reader shows as it is. */
  original(documentId: string): string {
    return join(this.#folder, `${documentId}.pdf`);
  }

  /** Takes what a parser wrote; nothing of it is there when this fails. Returns the bytes that are kept. */
  async take(documentId: string, output: string, { format }: Pick<ParsedDocument, 'format'>, originalPath: string | null): Promise<number> {
    try {
      await this.takeStructure(documentId, output);
      if (format === 'pdf' && originalPath !== null) {
        await copyFile(originalPath, this.original(documentId));
        await sync(this.original(documentId), 0o600);
      }
      await sync(join(output, textFile));
      await rename(join(output, textFile), this.text(documentId));
      return await this.bytes(documentId);
    } catch (error) {
      await this.remove(documentId);
      throw error;
    }
  }

  async takeStructure(documentId: string, output: string): Promise<void> {
    await sync(join(output, structureFile));
    await rename(join(output, structureFile), this.structure(documentId));
  }

  async bytes(documentId: string): Promise<number> {
    const sizes = await Promise.all(this.all(documentId).map((path) => stat(path).then(({ size }) => size, () => 0)));
    return sizes.reduce((sum, size) => sum + size, 0);
  }

  async remove(documentId: string): Promise<void> {
    for (const path of this.all(documentId)) await rm(path, { force: true });
  }

  /** Those that a document may have. */
  all(documentId: string): string[] {
    return [this.text(documentId), this.structure(documentId), this.original(documentId)];
  }
}

/** The parser may not do this itself: Node's permission model takes it away. */
async function sync(path: string, mode?: number): Promise<void> {
  const file = await open(path, 'r+');
  try {
    if (mode !== undefined) await file.chmod(mode);
    await file.sync();
  } finally {
    await file.close();
  }
}
