/** What going through a document has found: every item with its places, and how much of the document that covers. */
import type { Sweep } from '../../../../host/contract/sweep.ts';
import { CopyButton } from '../../../ui/CopyButton.tsx';
import { Dialog } from '../../../ui/Dialog.tsx';
import { openPassage } from '../../inspector/openPassage.ts';
import { useLibrary } from '../../library/store.ts';
import { coverageOf } from '../store.ts';
import { sweepsStrings as text } from '../strings.ts';

export function SweepResults({ sweep, open, onOpenChange }: { sweep: Sweep; open: boolean; onOpenChange(open: boolean): void }) {
  const name = useLibrary((state) => state.documents[sweep.documentId]?.name) ?? text.unknownDocument;
  const over = sweep.state === 'done';
  return (
    <Dialog open={open} onOpenChange={onOpenChange} title={sweep.question} description={`${name} · ${text.found(sweep.items.length)}`} className="w-[min(94vw,44rem)]">
      {sweep.items.length === 0 ? (
        <p className="py-3 text-quiet">{over ? text.nothing : text.nothingYet}</p>
      ) : (
        <ol data-testid="sweep-items" className="selectable">
          {sweep.items.map((item, index) => (
            <li key={`${item.passages[0].start} ${item.text}`} className="flex items-baseline gap-3 border-t border-line py-1.5">
              <span className="w-7 shrink-0 text-right text-small text-faint tabular-nums">{index + 1}</span>
              <span className="min-w-0 flex-1">{item.text}</span>
              <span className="flex shrink-0 gap-1">
                {item.passages.map(({ start, end, verified }, place) => (
                  <button
                    key={start}
                    type="button"
                    aria-label={`${text.place(place + 1, name)}: ${verified ? text.verified : text.window}`}
                    title={verified ? text.verified : text.window}
                    className={`size-5 rounded-full border text-tiny tabular-nums hover:bg-hover ${verified ? 'border-accent bg-accent-soft text-accent-text' : 'border-dashed border-line-strong text-quiet'}`}
                    onClick={() => {
                      onOpenChange(false);
                      openPassage({ documentId: sweep.documentId, start, end });
                    }}
                  >
                    {place + 1}
                  </button>
                ))}
              </span>
            </li>
          ))}
        </ol>
      )}
      <Coverage sweep={sweep} />
      {sweep.items.length > 0 && (
        <p className="flex items-center gap-1 pt-1 text-small text-quiet">
          <CopyButton text={() => sweep.items.map((item) => item.text).join('\n')} label={text.copy} /> {text.copy}
        </p>
      )}
    </Dialog>
  );
}

function Coverage({ sweep }: { sweep: Sweep }) {
  const { all, read, gave, empty, share } = coverageOf(sweep);
  return (
    <section aria-label={text.coverageTitle} data-testid="sweep-coverage" className="mt-3 rounded-lg bg-sunken px-3 py-2 text-small text-quiet">
      <p className="text-text">
        {text.coverage(String(read), text.parts(all), Math.floor(100 * share))} {text.gave(text.parts(gave), text.parts(empty))} {read === all ? text.everything : text.unread(text.parts(all - read))}
      </p>
      <p>{text.limits}</p>
    </section>
  );
}
