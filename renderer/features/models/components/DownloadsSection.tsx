/** Downloads of models that are not in the catalogue; those of the catalogue are shown at their entries. */
import { Notice } from '../../../ui/Notice.tsx';
import { Button } from '../../../ui/Button.tsx';
import { attempt } from '../../../app/failures.ts';
import { hubStrings as text } from '../hubStrings.ts';
import { isUnderWay, modelsStore, useModels } from '../store.ts';
import { modelsStrings } from '../strings.ts';
import { DownloadProgress } from './DownloadProgress.tsx';

export function DownloadsSection() {
  const downloads = useModels((state) => state.downloads);
  const shown = Object.values(downloads).filter((download) => download.catalogueId === null && (isUnderWay(download) || download.state === 'paused' || download.state === 'failed'));
  if (shown.length === 0) return null;
  return (
    <section aria-labelledby="models-downloads" className="mb-8">
      <h2 id="models-downloads" className="mb-1.5 text-body font-semibold">
        {text.underWay}
      </h2>
      <ul className="divide-y divide-line border-y border-line">
        {shown.map((download) => (
          <li key={download.id} aria-label={download.name} className="py-3">
            <p className="mb-1 font-medium">{download.name}</p>
            {download.state === 'failed' && download.failure ? (
              <Notice
                tone="danger"
                message={download.failure.message}
                remedy={download.failure.remedy}
                actions={
                  <>
                    <Button onClick={() => attempt(modelsStore.getState().resumeDownload(download.id))}>{modelsStrings.downloadAgain}</Button>
                    <Button aria-label={text.discardNamed(download.name)} onClick={() => attempt(modelsStore.getState().cancelDownload(download.id))}>
                      {text.discard}
                    </Button>
                  </>
                }
              />
            ) : (
              <DownloadProgress download={download} />
            )}
          </li>
        ))}
      </ul>
    </section>
  );
}
