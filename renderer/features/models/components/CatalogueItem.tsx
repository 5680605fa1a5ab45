/** A model on offer: what it is good for, size, licence, and its download in every state. */
import { Check, Download as DownloadIcon } from 'lucide-react';
import type { CatalogueEntry } from '../../../../host/contract/entities.ts';
import { attempt } from '../../../app/failures.ts';
import { formatBytes, formatCount } from '../../../app/format.ts';
import { said } from '../../../app/said/said.ts';
import { Button } from '../../../ui/Button.tsx';
import { ExternalLink } from '../../../ui/ExternalLink.tsx';
import { Notice } from '../../../ui/Notice.tsx';
import { useSettings } from '../../settings/store.ts';
import { downloadOf, installedModelOf, isUnderWay, modelsStore, useModels } from '../store.ts';
import { hubStrings as hubText } from '../hubStrings.ts';
import { modelsStrings as text } from '../strings.ts';
import { DownloadProgress } from './DownloadProgress.tsx';

interface CatalogueItemProps {
  entry: CatalogueEntry;
  /** The one thing to do on this screen. */
  prominent?: boolean;
}

export function CatalogueItem({ entry, prominent = false }: CatalogueItemProps) {
  const download = useModels((state) => downloadOf(state.downloads, entry.id));
  const recommended = useModels((state) => state.recommended[entry.id]);
  const installed = useModels((state) => installedModelOf(state.models, entry) !== null);
  const offline = useSettings((state) => state.settings.offline);
  const start = () => attempt(modelsStore.getState().startDownload(entry.id));
  const underWay = download !== null && (isUnderWay(download) || download.state === 'paused');
  const stopped = !installed && !underWay && (download?.state === 'failed' || download?.state === 'cancelled') ? download : null;
  return (
    <article aria-label={entry.name} data-testid="catalogue-entry" className="py-3.5">
      <div className="flex flex-wrap items-start justify-between gap-x-6 gap-y-2">
        <div className="min-w-60 flex-1">
          <h3 className="flex flex-wrap items-center gap-x-2 text-body font-semibold">
            {entry.name}
            {recommended?.first && !installed && <span className="rounded-sm bg-accent-soft px-1.5 text-tiny font-medium text-accent-text">{hubText.recommended}</span>}
          </h3>
          <p className="mt-0.5 max-w-prose text-quiet">{said(entry.description)}</p>
          <p className="mt-1 flex flex-wrap gap-x-4 text-small text-faint">
            <span>{formatBytes(entry.sizeBytes)}</span>
            <span>{text.contextTokens(formatCount(entry.contextTokens))}</span>
            <ExternalLink href={entry.licence.url}>{text.licence(entry.licence.name)}</ExternalLink>
          </p>
          {recommended && !installed && <p className={recommended.level === 'too-large' ? 'mt-1 text-small text-danger-text' : 'mt-1 text-small text-quiet'}>{said(recommended.reason)}</p>}
        </div>
        {installed ? (
          <span className="flex h-7 items-center gap-1.5 text-accent-text">
            <Check size={15} aria-hidden />
            {text.installedAlready}
          </span>
        ) : (
          !underWay &&
          !stopped && (
            <Button variant={prominent ? 'primary' : 'plain'} size={prominent ? 'large' : 'normal'} aria-label={text.downloadNamed(entry.name)} disabled={offline} onClick={start}>
              <DownloadIcon size={14} aria-hidden />
              {text.download}
            </Button>
          )
        )}
      </div>
      {offline && !installed && <p className="mt-2 text-small text-quiet">{text.offline}</p>}
      {underWay && (
        <div className="mt-3">
          <DownloadProgress download={download} />
        </div>
      )}
      {stopped && (
        <Notice
          tone={stopped.state === 'failed' ? 'danger' : 'info'}
          className="mt-3"
          message={stopped.failure?.message ?? text.cancelled}
          remedy={stopped.failure?.remedy}
          actions={
            <Button disabled={offline} onClick={start}>
              {stopped.state === 'failed' ? text.downloadAgain : text.download}
            </Button>
          }
        />
      )}
    </article>
  );
}
