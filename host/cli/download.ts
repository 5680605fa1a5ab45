import type { Download } from '../contract/entities.ts';
import { RelayedError, cancelled } from '../errors.ts';
import type { Host } from '../host.ts';
import type { CommandContext } from './context.ts';

/** Fetches a model and shows how far it is; Ctrl+C stops it and keeps what was fetched. */
export async function downloadWithProgress(host: Host, start: () => Download | Promise<Download>, { output, signal }: CommandContext): Promise<string> {
  const { id } = await start();
  let source = '';
  const unsubscribe = host.events.subscribe((name, payload) => {
    if (name !== 'downloads.changed') return;
    const download = payload as Download;
    if (download.source !== source) output.note(`Source: ${(source = download.source)}`);
    if (download.waiting) output.note(`Waiting: ${download.waiting.reason}.`);
    if (download.state !== 'downloading' && download.state !== 'verifying') return;
    const { doneBytes: done, totalBytes: total, bytesPerSecond: perSecond } = download;
    const secondsLeft = perSecond > 0 ? (total - done) / perSecond : null;
    output.progress({ label: download.state === 'verifying' ? 'Verifying' : 'Downloading', done, total, unit: 'bytes', perSecond, secondsLeft });
    output.event({ event: 'progress', phase: download.state, done, total });
  });
  const stop = () => void host.downloads.pause(id);
  signal.addEventListener('abort', stop, { once: true });
  try {
    const download = await host.downloads.finished(id);
    if (download.failure) throw new RelayedError(download.failure);
    if (download.modelId === null) throw cancelled();
    output.note(`${download.name} is ready: downloaded and verified.`);
    return download.modelId;
  } finally {
    unsubscribe();
    signal.removeEventListener('abort', stop);
  }
}
