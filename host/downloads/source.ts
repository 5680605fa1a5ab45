import type { DownloadTarget } from '../contract/entities.ts';
import type { OutboundClient } from './outboundClient.ts';
import type { RangedPart } from './rangedPart.ts';
import type { RateLimit } from './rateLimit.ts';

/** What a source is given to fill a part file with. */
export interface FetchTask {
  target: DownloadTarget;
  part: RangedPart;
  client: OutboundClient;
  limit: RateLimit;
  /** For files that are needed on the way. */
  staging: string;
  signal: AbortSignal;
  onProgress(doneBytes: number): void;
  /** Nothing comes until then, for this reason. */
  onWaiting(reason: string, untilMs: number): void;
}
