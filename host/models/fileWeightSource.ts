/** The engine's view of a model file on disk. */
import { type FileHandle, open } from 'node:fs/promises';
import { basename } from 'node:path';
import type { WeightSource } from '../../engine/ports.ts';
import { HostError, systemErrorCode } from '../errors.ts';
import { quoted } from '../wording.ts';

export class FileWeightSource implements WeightSource {
  readonly name: string;
  readonly sizeBytes: number;
  readonly #file: FileHandle;

  private constructor(file: FileHandle, name: string, sizeBytes: number) {
    this.#file = file;
    this.name = name;
    this.sizeBytes = sizeBytes;
  }

  static async open(path: string, name = basename(path)): Promise<FileWeightSource> {
    const file = await open(path, 'r').catch((error: unknown) => {
      throw unreadableModel(name, error);
    });
    const found = await file.stat();
    if (!found.isFile()) {
      await file.close();
      throw new HostError('file-is-a-directory', `${quoted(name)} is a folder, not a file.`, 'Choose the .gguf file inside it.');
    }
    return new FileWeightSource(file, name, found.size);
  }

  async read(offsetBytes: number, lengthBytes: number): Promise<Uint8Array> {
    const bytes = new Uint8Array(lengthBytes);
    await this.readInto(offsetBytes, bytes);
    return bytes;
  }

  async readInto(offsetBytes: number, target: Uint8Array): Promise<void> {
    let done = 0;
    while (done < target.length) {
      const { bytesRead } = await this.#file.read(target, done, target.length - done, offsetBytes + done);
      if (bytesRead === 0) throw new RangeError(`${this.name}: bytes ${offsetBytes}…${offsetBytes + target.length} pass its end`);
      done += bytesRead;
    }
  }

  close(): Promise<void> {
    return this.#file.close();
  }
}

function unreadableModel(name: string, error: unknown): HostError {
  const code = systemErrorCode(error);
  if (code === 'ENOENT') {
    return new HostError('file-not-found', `There is no file ${quoted(name)}.`, 'Check its name and where it is.', { cause: error });
  }
  return new HostError(
    'file-unreadable',
    `${quoted(name)} cannot be read: ${code === 'EACCES' ? 'you have no permission to read it' : (code ?? String(error))}.`,
    'Give yourself read access to the file, or choose another.',
    { cause: error },
  );
}
