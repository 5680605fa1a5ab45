/** A download in words: how far, how fast, how long yet. */
import type { Download } from '../../../host/contract/entities.ts';
import { formatBytes, formatWait } from '../../app/format.ts';
import { said } from '../../app/said/said.ts';
import { hubStrings } from './hubStrings.ts';
import { modelsStrings } from './strings.ts';

export function secondsLeft({ doneBytes, totalBytes, bytesPerSecond }: Pick<Download, 'doneBytes' | 'totalBytes' | 'bytesPerSecond'>): number | null {
  return bytesPerSecond > 0 && totalBytes > doneBytes ? (totalBytes - doneBytes) / bytesPerSecond : null;
}

export function downloadDetails(download: Download): string[] {
  const { state, doneBytes, totalBytes, bytesPerSecond, source, waiting } = download;
  const details = [...(waiting ? [hubStrings.waiting(said(waiting.reason))] : []), modelsStrings.progress(formatBytes(doneBytes), formatBytes(totalBytes))];
  const left = secondsLeft(download);
  if (state === 'downloading' && bytesPerSecond > 0) details.push(modelsStrings.rate(formatBytes(bytesPerSecond)));
  if (state === 'downloading' && left !== null) details.push(modelsStrings.left(formatWait(left)));
  if (source !== '') details.push(modelsStrings.from(source));
  return details;
}
