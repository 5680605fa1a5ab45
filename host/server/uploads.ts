/** Files from a browser: written to the staging folder, known by an opaque id from then on. */
import { randomUUID } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { createWriteStream } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { basename, join } from 'node:path';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { maximumDocumentBytes } from '../documents/addDocument.ts';
import { HostError, systemErrorCode } from '../errors.ts';
import type { FileRegistry } from '../fileRegistry.ts';
import { freeBytes } from '../models/freeSpace.ts';
import { formatBytes, quoted } from '../wording.ts';

const maximumModelBytes = 128_000_000_000;

export async function receiveUpload(
  request: IncomingMessage,
  suggestedName: string,
  staging: string,
  files: FileRegistry,
): Promise<{ fileId: string; name: string }> {
  const name = basename(suggestedName.replaceAll('\\', '/')).slice(0, 255) || 'file';
  const limitBytes = name.toLowerCase().endsWith('.gguf') ? maximumModelBytes : maximumDocumentBytes;
  const statedBytes = Number(request.headers['content-length'] ?? 0);
  if (statedBytes > limitBytes) throw tooLarge(name, statedBytes, limitBytes);
  const free = await freeBytes(staging);
  if (statedBytes > free) throw diskFull(name, statedBytes, free);

  const path = join(staging, randomUUID());
  try {
    await pipeline(request, refuseAbove(name, limitBytes), createWriteStream(path, { mode: 0o600 }));
  } catch (error) {
    await rm(path, { force: true });
    if (systemErrorCode(error) === 'ENOSPC') throw diskFull(name, statedBytes, await freeBytes(staging));
    throw error;
  }
  return { fileId: files.registerUpload(path, name), name };
}

export function refuseAbove(name: string, limitBytes: number): Transform {
  let bytes = 0;
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      bytes += chunk.length;
      if (bytes > limitBytes) done(tooLarge(name, bytes, limitBytes));
      else done(null, chunk);
    },
  });
}

function tooLarge(name: string, bytes: number, limitBytes: number): HostError {
  return new HostError(
    'upload-too-large',
    `${quoted(name)} is ${formatBytes(bytes)}; Longleaf reads documents of up to ${formatBytes(maximumDocumentBytes)}${
      limitBytes === maximumModelBytes ? ` and models of up to ${formatBytes(maximumModelBytes)}` : ''
    }.`,
    'Split it into smaller files.',
  );
}

function diskFull(name: string, bytes: number, free: number): HostError {
  return new HostError(
    'disk-full',
    `${quoted(name)} is ${formatBytes(bytes)}, but only ${formatBytes(free)} are free in Longleaf's data folder.`,
    'Free some space and add it again.',
  );
}
