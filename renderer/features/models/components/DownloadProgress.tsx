/** A download that is under way or paused: how far it is, and what can be done about it. */
import type { Download } from '../../../../host/contract/entities.ts';
import { attempt } from '../../../app/failures.ts';
import { fractionOf } from '../../../app/format.ts';
import { Button } from '../../../ui/Button.tsx';
import { ProgressBar } from '../../../ui/ProgressBar.tsx';
import { downloadDetails } from '../downloadText.ts';
import { hubStrings } from '../hubStrings.ts';
import { modelsStore } from '../store.ts';
import { modelsStrings as text } from '../strings.ts';

export function DownloadProgress({ download }: { download: Download }) {
  const { id, name, state } = download;
  const fraction = state === 'starting' ? null : fractionOf(download.doneBytes, download.totalBytes);
  const paused = state === 'paused';
  const { pauseDownload, resumeDownload, cancelDownload } = modelsStore.getState();
  return (
    <div data-testid="download" data-state={state}>
      <div className="mb-1.5 flex items-center justify-between gap-3">
        <span className="font-medium" role="status">
          {text.state(state)}
        </span>
        <span className="flex gap-2">
          {paused ? (
            <Button aria-label={hubStrings.resumeNamed(name)} onClick={() => attempt(resumeDownload(id))}>
              {hubStrings.resume}
            </Button>
          ) : (
            <Button aria-label={hubStrings.pausedNamed(name)} onClick={() => attempt(pauseDownload(id))}>
              {hubStrings.pause}
            </Button>
          )}
          <Button aria-label={paused ? hubStrings.discardNamed(name) : text.cancelNamed(name)} onClick={() => attempt(cancelDownload(id))}>
            {paused ? hubStrings.discard : text.cancel}
          </Button>
        </span>
      </div>
      <ProgressBar fraction={fraction} label={text.downloadNamed(name)} />
      <p className="dotted mt-1.5 text-small text-quiet tabular-nums">
        {downloadDetails(download).map((detail) => (
          <span key={detail}>{detail}</span>
        ))}
      </p>
    </div>
  );
}
