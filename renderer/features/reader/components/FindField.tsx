/** Finds words in the document and goes from one place to the next: Enter, or Shift+Enter backwards. */
import { ChevronDown, ChevronUp, Search } from 'lucide-react';
import { type KeyboardEvent, useRef, useState } from 'react';
import { host } from '../../../app/connection/session.ts';
import { attempt } from '../../../app/failures.ts';
import { formatCount } from '../../../app/format.ts';
import { IconButton } from '../../../ui/IconButton.tsx';
import { readerStore } from '../store.ts';
import { readerStrings as text } from '../strings.ts';

interface Found {
  query: string;
  matches: { start: number; end: number }[];
  more: boolean;
  /** Which of them is shown. */
  at: number;
}

export function FindField({ documentId }: { documentId: string }) {
  const [query, setQuery] = useState('');
  const [found, setFound] = useState<Found | null>(null);
  const latest = useRef('');

  const show = (next: Found) => {
    setFound(next);
    const match = next.matches[next.at];
    if (match) readerStore.getState().open(documentId, match);
  };
  const go = async (step: 1 | -1) => {
    if (query.trim() === '') return;
    if (found?.query === query) {
      const count = Math.max(1, found.matches.length);
      return show({ ...found, at: (found.at + step + count) % count });
    }
    latest.current = query;
    const { matches, more } = await host.call('documents.find', { documentId, query });
    if (latest.current === query) show({ query, matches, more, at: step === 1 ? 0 : matches.length - 1 });
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === 'Enter') attempt(go(event.shiftKey ? -1 : 1));
  };
  const current = found?.query === query ? found : null;
  return (
    <search className="flex min-w-0 flex-1 items-center gap-1">
      <label className="flex h-6 min-w-0 flex-1 items-center gap-1.5 rounded-md border border-line-strong bg-raised px-1.5">
        <Search size={13} strokeWidth={1.75} className="shrink-0 text-faint" aria-hidden />
        <input
          type="text"
          aria-label={text.find}
          placeholder={text.findShort}
          value={query}
          onChange={(event) => setQuery(event.target.value)}
          onKeyDown={onKeyDown}
          className="min-w-0 flex-1 bg-transparent text-small outline-none focus-visible:outline-none"
        />
        <span role="status" data-testid="matches" className="shrink-0 text-small text-faint tabular-nums">
          {current && (current.matches.length === 0 ? text.noMatch : text.matchOf(formatCount(current.at + 1), formatCount(current.matches.length), current.more))}
        </span>
      </label>
      {current && current.matches.length > 1 && (
        <>
          <IconButton size="small" icon={ChevronUp} label={text.previousMatch} onClick={() => attempt(go(-1))} />
          <IconButton size="small" icon={ChevronDown} label={text.nextMatch} onClick={() => attempt(go(1))} />
        </>
      )}
    </search>
  );
}
