/** The person's limit for documents, checked before one is added. */
import { HostError } from '../errors.ts';
import { folderBytes } from '../storageUsage.ts';
import { formatBytes } from '../wording.ts';

/** Throws `documents-cap` when `addedBytes` more would pass `capBytes` (null: none). */
export async function checkDocumentsCap(folder: string, capBytes: number | null, addedBytes: number): Promise<void> {
  if (capBytes === null) return;
  const used = await folderBytes(folder);
  if (used + addedBytes <= capBytes) return;
  throw new HostError(
    'documents-cap',
    `Documents may take ${formatBytes(capBytes)}; those that are here take ${formatBytes(used)}, and this one has ${formatBytes(addedBytes)}.`,
    'Delete a document, or raise the limit on the page Storage.',
  );
}
