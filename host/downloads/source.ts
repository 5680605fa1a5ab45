import type { CatalogueEntry } from '../contract/entities.ts';
import type { OutboundClient } from './outboundClient.ts';
import type { PartFile } from './partFile.ts';

/** What a source is given to fill a part file with. */
export interface FetchTask {
  entry: CatalogueEntry;
  part: PartFile;
  client: OutboundClient;
  /** For files that are needed on the way. */
  staging: string;
  signal: AbortSignal;
  onProgress(doneBytes: number): void;
}
