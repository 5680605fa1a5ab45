/** The documents of the open chat, and those on their way into it. */
import { clsx } from 'clsx';
import { FileText, X } from 'lucide-react';
import type { DocumentRecord } from '../../../../host/contract/entities.ts';
import { attempt } from '../../../app/failures.ts';
import { formatBytes, formatCount } from '../../../app/format.ts';
import { IconButton } from '../../../ui/IconButton.tsx';
import { Notice } from '../../../ui/Notice.tsx';
import { ProgressBar } from '../../../ui/ProgressBar.tsx';
import { Spinner } from '../../../ui/Spinner.tsx';
import { ChipReading } from '../../readings/components/ChipReading.tsx';
import { type Arrival, libraryStore, useLibrary } from '../../library/store.ts';
import { readerStore, useReader } from '../../reader/store.ts';
import { useActiveConversation, useActiveMeter, useActiveModel, useMeterFailure } from '../hooks/useChatContext.ts';
import { chatStore } from '../store.ts';
import { chatStrings } from '../strings.ts';

const text = chatStrings.documents;
const noDocuments: string[] = [];

export function DocumentStrip() {
  const documentIds = useActiveConversation()?.documentIds ?? noDocuments;
  const documents = useLibrary((state) => state.documents);
  const arrivals = useLibrary((state) => state.arrivals);
  const cameTogether = useLibrary((state) => state.cameTogether);
  if (documentIds.length === 0 && arrivals.length === 0) return null;
  const refused = arrivals.filter(({ failure }) => failure);
  const onTheirWay = arrivals.filter(({ failure }) => !failure);
  const arriving = onTheirWay.filter(({ begun }) => begun);
  return (
    <div className="border-b border-line">
      {/* Above the list, which scrolls: a refusal must not hide behind other documents. */}
      {refused.length > 0 && (
        <ul aria-label={text.refused} className="flex max-h-48 flex-col gap-1.5 overflow-y-auto p-2 pb-0 last:pb-2">
          {refused.map((arrival) => (
            <Refused key={arrival.id} arrival={arrival} />
          ))}
        </ul>
      )}
      {onTheirWay.length > 0 && cameTogether > arriving.length && <ManyArriving done={cameTogether - onTheirWay.length} total={cameTogether} />}
      {documentIds.length + arriving.length > 0 && (
        <ul aria-label={text.label} className="flex max-h-[7.5rem] flex-wrap gap-1.5 overflow-y-auto p-2">
          {documentIds.map((id) => documents[id] && <DocumentChip key={id} document={documents[id]} />)}
          {arriving.map((arrival) => (
            <Arriving key={arrival.id} arrival={arrival} />
          ))}
        </ul>
      )}
    </div>
  );
}

const chip = 'flex h-8 max-w-[22rem] items-center rounded-md border border-line bg-surface';

function DocumentChip({ document }: { document: DocumentRecord }) {
  const meter = useActiveMeter();
  const model = useActiveModel();
  const previewed = useReader((state) => state.documentId === document.id);
  const tokens = meter?.documents.find(({ documentId }) => documentId === document.id)?.tokens;
  const cannotCount = useMeterFailure() !== null || model === null;
  const counted = tokens === undefined ? text.counting : text.tokens(formatCount(tokens));
  return (
    <li className={clsx(chip, 'relative overflow-hidden', previewed && 'border-accent!')} data-testid="document">
      <button
        type="button"
        aria-label={text.preview(document.name)}
        aria-pressed={previewed}
        className="flex h-full min-w-0 items-center gap-2 rounded-md pr-1 pl-2 hover:bg-hover"
        onClick={() => (previewed ? readerStore.getState().close() : readerStore.getState().open(document.id))}
      >
        <FileText size={14} strokeWidth={1.75} className="text-accent-text" aria-hidden />
        <span className="truncate font-medium">{document.name}</span>
        <span className="shrink-0 text-small text-faint tabular-nums">{tokens === undefined && cannotCount ? formatBytes(document.sizeBytes) : counted}</span>
      </button>
      <ChipReading documentId={document.id} name={document.name} />
      <IconButton icon={X} iconSize={13} size="small" label={text.remove(document.name)} onClick={() => attempt(chatStore.getState().detachDocument(document.id))} />
    </li>
  );
}

/** The list shows those whose turn it is; this, how many there are. */
function ManyArriving({ done, total }: { done: number; total: number }) {
  const progress = text.addingMany(formatCount(done), formatCount(total));
  return (
    <div className="flex items-center gap-3 px-2.5 pt-2 text-small text-quiet tabular-nums" data-testid="documents-arriving">
      <span className="shrink-0">{progress}</span>
      <ProgressBar fraction={done / total} label={text.label} />
    </div>
  );
}

function Arriving({ arrival: { name, fraction } }: { arrival: Arrival }) {
  const uploading = fraction !== null && fraction < 1;
  const doing = uploading ? text.uploading(Math.floor(fraction * 100)) : text.adding;
  return (
    <li className={clsx(chip, 'relative gap-2 overflow-hidden px-2')} data-testid="arriving-document">
      <Spinner />
      <span className="truncate">{name}</span>
      <span className="shrink-0 text-small text-faint tabular-nums">{doing}</span>
      <ProgressBar fraction={uploading ? fraction : null} label={name} className="absolute! inset-x-0 bottom-0 h-0.5! rounded-none" />
    </li>
  );
}

function Refused({ arrival: { id, name, failure } }: { arrival: Arrival }) {
  if (!failure) return null;
  return (
    <li className="w-full" data-testid="refused-document">
      <Notice
        tone="danger"
        message={failure.message}
        remedy={failure.remedy}
        actions={<IconButton icon={X} size="small" label={text.dismiss(name)} onClick={() => libraryStore.getState().dismissArrival(id)} />}
      />
    </li>
  );
}
