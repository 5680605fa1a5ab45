/** The repositories that were found; one of them shows its files. */
import { ChevronRight, Lock } from 'lucide-react';
import { clsx } from 'clsx';
import type { HubRepository } from '../../../../host/contract/hub.ts';
import { formatCompact, formatCount } from '../../../app/format.ts';
import { Button } from '../../../ui/Button.tsx';
import { ExternalLink } from '../../../ui/ExternalLink.tsx';
import { Notice } from '../../../ui/Notice.tsx';
import { Spinner } from '../../../ui/Spinner.tsx';
import { hubStore, useHub } from '../hubStore.ts';
import { hubStrings as text } from '../hubStrings.ts';
import { HubFiles } from './HubFiles.tsx';

export function HubResults() {
  const results = useHub((state) => state.results);
  const cursor = useHub((state) => state.cursor);
  const busy = useHub((state) => state.busy);
  const failure = useHub((state) => state.failure);
  return (
    <section aria-label={text.search} aria-busy={busy} className="mt-5">
      {failure && <Notice tone="danger" className="mb-4" message={failure.message} remedy={failure.remedy} />}
      {busy && (
        <p role="status" className="flex items-center gap-2 py-2 text-quiet">
          <Spinner />
          {text.searching}
        </p>
      )}
      {!results && !busy && !failure && <p className="border-y border-line py-3 text-quiet">{text.start}</p>}
      {results?.length === 0 && !busy && <p className="border-y border-line py-3 text-quiet">{text.nothing}</p>}
      {results && results.length > 0 && (
        <ul className="divide-y divide-line border-y border-line" data-testid="hub-results">
          {results.map((repository) => (
            <RepositoryItem key={repository.id} repository={repository} />
          ))}
        </ul>
      )}
      {cursor !== null && !busy && (
        <Button className="mt-3" onClick={() => void hubStore.getState().more()}>
          {text.more}
        </Button>
      )}
    </section>
  );
}

function RepositoryItem({ repository }: { repository: HubRepository }) {
  const { id, licence, architecture, parameters, contextTokens, downloads, gated, runs } = repository;
  const open = useHub((state) => state.openId === id);
  const [owner, name] = id.split('/');
  return (
    <li className="py-2.5">
      <h2>
        <button
          type="button"
          aria-expanded={open}
          aria-label={text.showFiles(id)}
          onClick={() => void hubStore.getState().open(open ? null : id)}
          className="-mx-2 flex w-[calc(100%+1rem)] items-center gap-2 rounded-md px-2 py-1 text-left hover:bg-hover"
        >
          <ChevronRight size={15} aria-hidden className={clsx('shrink-0 text-quiet transition-transform', open && 'rotate-90')} />
          <span className="min-w-0 flex-1 truncate text-body">
            <span className="text-faint">{owner}/</span>
            <span className="font-semibold">{name}</span>
          </span>
          {gated && (
            <span className="flex items-center gap-1 text-small text-warning-text">
              <Lock size={13} aria-hidden />
              {text.gated}
            </span>
          )}
        </button>
      </h2>
      <p className="mt-0.5 ml-6 flex flex-wrap gap-x-4 text-small text-faint tabular-nums">
        {architecture !== null && <span className={runs === false ? 'text-danger-text' : undefined}>{runs === false ? text.unknownFamily(architecture) : architecture}</span>}
        {parameters !== null && <span>{text.parameters(formatCompact(parameters))}</span>}
        {contextTokens !== null && <span>{text.tokens(formatCount(contextTokens))}</span>}
        <span>{text.downloads(formatCompact(downloads))}</span>
        {licence && <ExternalLink href={licence.url}>{licence.name}</ExternalLink>}
      </p>
      {open && <HubFiles repositoryId={id} />}
    </li>
  );
}
