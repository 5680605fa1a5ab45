/** A folder from a browser: opened, filled file by file, and then known by its id as a folder on disk would be. */
import { randomUUID } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { basename, dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { maximumDocumentBytes } from '../documents/addDocument.ts';
import { HostError } from '../errors.ts';
import type { FileRegistry } from '../fileRegistry.ts';
import { quoted } from '../wording.ts';
import { refuseAbove } from './uploads.ts';

const longestPath = 4096;

export async function openUploadedFolder(suggestedName: string, staging: string, files: FileRegistry): Promise<{ fileId: string; name: string }> {
  const name = basename(suggestedName.replaceAll('\\', '/')).slice(0, 255) || 'folder';
  const path = join(staging, randomUUID());
  await mkdir(path, { mode: 0o700 });
  return { fileId: files.registerUpload(path, name), name };
}

/** @param path inside the folder, with slashes */
export async function receiveIntoFolder(request: IncomingMessage, folderId: string, path: string, files: FileRegistry): Promise<{ fileId: string; name: string }> {
  const parts = path.split('/');
  if (path.length > longestPath || path.includes('\0') || path.includes('\\') || parts.some((part) => part === '' || part === '.' || part === '..')) {
    throw new HostError('bad-request', `The path ${quoted(path.slice(0, 200))} leads out of the folder that is being added.`, 'Choose the folder again.');
  }
  const target = join(files.uploadedFolder(folderId), ...parts);
  await mkdir(dirname(target), { recursive: true, mode: 0o700 });
  try {
    await pipeline(request, refuseAbove(path, maximumDocumentBytes), createWriteStream(target, { mode: 0o600 }));
  } catch (error) {
    await rm(target, { force: true });
    throw error;
  }
  return { fileId: folderId, name: path };
}
