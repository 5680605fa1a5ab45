/** Files the interface may name, by opaque id: it never sees or sends a path. */
import { randomUUID } from 'node:crypto';
import { rm, stat } from 'node:fs/promises';
import { basename } from 'node:path';
import { HostError, systemErrorCode } from './errors.ts';
import { quoted } from './wording.ts';

export interface KnownFile {
  path: string;
  name: string;
  /** An upload: ours to move or delete. */
  temporary: boolean;
}

export class FileRegistry {
  readonly #files = new Map<string, KnownFile>();

  /** A file a person picked, dropped or named. */
  async registerPath(path: string): Promise<string> {
    const name = basename(path);
    await stat(path).catch((error: unknown) => {
      throw new HostError(
        'file-not-found',
        `${quoted(name)} cannot be opened (${systemErrorCode(error) ?? String(error)}).`,
        'Check its name and where it is.',
        { cause: error },
      );
    });
    return this.#keep({ path, name, temporary: false });
  }

  registerUpload(path: string, name: string): string {
    return this.#keep({ path, name, temporary: true });
  }

  /** The folder of an upload that is still being filled. */
  uploadedFolder(fileId: string): string {
    const file = this.#files.get(fileId);
    if (!file?.temporary) throw new HostError('file-not-found', 'This folder is no longer at hand.', 'Choose it again.');
    return file.path;
  }

  /** Lends the file to `work`; an upload has served its purpose when that is done, however it ends. */
  async use<T>(fileId: string, work: (file: KnownFile) => Promise<T>): Promise<T> {
    const file = this.#files.get(fileId);
    if (!file) throw new HostError('file-not-found', 'This file is no longer at hand.', 'Choose it again.');
    try {
      return await work(file);
    } finally {
      if (file.temporary) {
        this.#files.delete(fileId);
        await rm(file.path, { force: true, recursive: true });
      }
    }
  }

  #keep(file: KnownFile): string {
    const id = randomUUID();
    this.#files.set(id, file);
    return id;
  }
}
