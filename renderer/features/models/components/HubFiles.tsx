/** The files of one repository, each with its verdict for the window that was chosen. */
import { Check, Download as DownloadIcon } from 'lucide-react';
import type { HubModelFile } from '../../../../host/contract/hub.ts';
import { attempt } from '../../../app/failures.ts';
import { formatBytes } from '../../../app/format.ts';
import { Button } from '../../../ui/Button.tsx';
import { ExternalLink } from '../../../ui/ExternalLink.tsx';
import { Notice } from '../../../ui/Notice.tsx';
import { Spinner } from '../../../ui/Spinner.tsx';
import { useSettings } from '../../settings/store.ts';
import { hubStore, isContents, useHub, verdictKey } from '../hubStore.ts';
import { hubStrings as text } from '../hubStrings.ts';
import { isUnderWay, useModels } from '../store.ts';
import { modelsStrings } from '../strings.ts';
import { FileVerdictView } from './FileVerdict.tsx';

export function HubFiles({ repositoryId }: { repositoryId: string }) {
  const contents = useHub((state) => state.contents[repositoryId]);
  if (!contents) {
    return (
      <p role="status" className="mt-2 ml-6 flex items-center gap-2 text-quiet">
        <Spinner />
        {text.loadingFiles}
      </p>
    );
  }
  if (!isContents(contents)) return <Notice tone="danger" className="mt-2 ml-6" message={contents.message} remedy={contents.remedy} />;
  return (
    <div className="mt-2 ml-6">
      {contents.files.length === 0 ? (
        <p className="text-quiet">{text.noFiles}</p>
      ) : (
        <ul className="divide-y divide-line rounded-lg border border-line bg-sunken px-3" data-testid="hub-files">
          {contents.files.map((file) => (
            <FileItem key={file.path} repositoryId={repositoryId} file={file} />
          ))}
        </ul>
      )}
      <p className="mt-1.5 text-small">
        <ExternalLink href={contents.page}>{text.page}</ExternalLink>
      </p>
    </div>
  );
}

function FileItem({ repositoryId, file }: { repositoryId: string; file: HubModelFile }) {
  const contextTokens = useHub((state) => state.contextTokens);
  const judged = useHub((state) => state.verdicts[verdictKey(repositoryId, file.path, contextTokens)]);
  const offline = useSettings((state) => state.settings.offline);
  const sha256 = file.parts[0]?.sha256;
  const installed = useModels((state) => state.models.some((model) => model.sha256 === sha256));
  const download = useModels((state) => Object.values(state.downloads).find((one) => one.sha256 === sha256));
  const underWay = download !== undefined && isUnderWay(download);
  const runs = judged?.state !== 'known' || (judged.verdict.level !== 'unsupported' && judged.verdict.level !== 'too-large');
  return (
    <li className="flex flex-wrap items-start gap-x-4 gap-y-1 py-2.5" aria-label={file.label} data-testid="hub-file">
      <div className="w-40 min-w-0">
        <p className="font-medium break-words">{file.label}</p>
        <p className="text-small text-faint tabular-nums">
          {formatBytes(file.sizeBytes)}
          {file.parts.length > 1 && `, ${text.parts(file.parts.length)}`}
        </p>
      </div>
      <div className="min-w-56 flex-1">
        <FileVerdictView judged={judged} label={file.label} />
      </div>
      {installed || download?.state === 'done' ? (
        <span className="flex h-7 items-center gap-1.5 text-accent-text">
          <Check size={15} aria-hidden />
          {text.here}
        </span>
      ) : (
        <Button aria-label={text.downloadNamed(file.label, repositoryId)} disabled={offline || underWay || !runs} onClick={() => attempt(hubStore.getState().download(repositoryId, file))}>
          <DownloadIcon size={14} aria-hidden />
          {underWay ? modelsStrings.state(download.state) : text.download}
        </Button>
      )}
    </li>
  );
}
