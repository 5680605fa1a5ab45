import type { Download } from '../../../../host/contract/entities.ts';
import { attempt } from '../../../app/failures.ts';
import { fractionOf } from '../../../app/format.ts';
import { Button } from '../../../ui/Button.tsx';
import { ProgressBar } from '../../../ui/ProgressBar.tsx';
import { downloadDetails } from '../downloadText.ts';
import { modelsStore } from '../store.ts';
import { modelsStrings as text } from '../strings.ts';

export function DownloadProgress({ download }: { download: Download }) {
  const fraction = download.state === 'starting' ? null : fractionOf(download.doneBytes, download.totalBytes);
  return (
    <div data-testid="download" data-state={download.state}>
      <div className="mb-1.5 flex items-center justify-between gap-3">
        <span className="font-medium" role="status">
          {text.state(download.state)}
        </span>
        <Button aria-label={text.cancelNamed(download.name)} onClick={() => attempt(modelsStore.getState().cancelDownload(download.id))}>
          {text.cancel}
        </Button>
      </div>
      <ProgressBar fraction={fraction} label={text.downloadNamed(download.name)} />
      <p className="mt-1.5 flex flex-wrap gap-x-2 text-small text-quiet tabular-nums [&>span+span]:before:mr-2 [&>span+span]:before:content-['·']">
        {downloadDetails(download).map((detail) => (
          <span key={detail}>{detail}</span>
        ))}
      </p>
    </div>
  );
}
