/** A model file on disk as the engine's `WeightSource`. */
import { open, stat } from 'node:fs/promises';
import { basename } from 'node:path';
import { EngineError } from '../../engine/errors.ts';
import type { WeightSource } from '../../engine/ports.ts';

/** Largest single read: big enough for full speed, small enough to notice a truncated file early. */
const readBytes = 64 << 20;

export interface OpenWeightSource extends WeightSource {
  close(): Promise<void>;
}

/** Throws `not-a-gguf` with the reason when the path cannot be a model file. */
export async function openWeightSource(path: string): Promise<OpenWeightSource> {
  const name = basename(path);
  const facts = await stat(path).catch((error: NodeJS.ErrnoException) => {
    throw unreadable(name, error);
  });
  if (facts.isDirectory()) {
    throw new EngineError('not-a-gguf', `${name} is a folder, not a model file.`, 'Choose the .gguf file inside it.');
  }
  const handle = await open(path, 'r').catch((error: NodeJS.ErrnoException) => {
    throw unreadable(name, error);
  });
  return {
    name,
    sizeBytes: facts.size,
    async read(offsetBytes, lengthBytes) {
      if (offsetBytes + lengthBytes > facts.size) throw truncated(name, offsetBytes + lengthBytes, facts.size);
      const bytes = new Uint8Array(lengthBytes);
      let done = 0;
      while (done < lengthBytes) {
        const wanted = Math.min(readBytes, lengthBytes - done);
        const { bytesRead } = await handle.read(bytes, done, wanted, offsetBytes + done);
        if (bytesRead === 0) throw truncated(name, offsetBytes + lengthBytes, offsetBytes + done);
        done += bytesRead;
      }
      return bytes;
    },
    close: () => handle.close(),
  };
}

function unreadable(name: string, error: NodeJS.ErrnoException): EngineError {
  const reasons: Record<string, string> = { ENOENT: 'does not exist', EACCES: 'may not be read by you', EPERM: 'may not be read by you' };
  const reason = reasons[error.code ?? ''] ?? `cannot be opened (${error.code ?? error.message})`;
  return new EngineError('not-a-gguf', `The model file ${name} ${reason}.`, 'Check the path and its permissions, or import the file again.', { cause: error });
}

function truncated(name: string, wantedBytes: number, sizeBytes: number): EngineError {
  return new EngineError('gguf-truncated', `${name} ends at byte ${sizeBytes}, but ${wantedBytes} are needed.`, 'Download the file again.');
}
