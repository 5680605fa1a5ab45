/** What is being read, at the foot of every screen; pressed, all readings with what can be done about them. */
import { useLibrary } from '../../library/store.ts';
import { Popover } from '../../../ui/Popover.tsx';
import { readingStatus } from '../readingText.ts';
import { foremost, useReadings } from '../store.ts';
import { readingsStrings as text } from '../strings.ts';
import { ReadingRow } from './ReadingRow.tsx';

export function ReadingStatus() {
  const readings = useReadings((state) => state.readings);
  const documents = useLibrary((state) => state.documents);
  const shown = foremost(readings);
  const unfinished = readings.filter(({ state }) => state !== 'done');
  const nameOf = (documentId: string) => documents[documentId]?.name ?? text.unknownDocument;
  return (
    <>
      {shown && (
        <Popover
          label={text.status.panel}
          side="top"
          align="start"
          className="w-[min(26rem,94vw)] divide-y divide-line px-3.5 py-1"
          trigger={
            <button type="button" data-testid="reading-status" className="flex min-w-0 items-center gap-1.5 rounded-sm tabular-nums hover:text-text">
              <span className="truncate">{readingStatus(shown, nameOf(shown.documentId))}</span>
              {unfinished.length > 1 && <span className="shrink-0">{text.status.more(unfinished.length - 1)}</span>}
            </button>
          }
        >
          {unfinished.map((reading) => (
            <div key={reading.id} className="py-2.5">
              <ReadingRow reading={reading} />
            </div>
          ))}
        </Popover>
      )}
      <Announcement nameOf={nameOf} />
    </>
  );
}

/** Said once at each change of state, never with the numbers. */
function Announcement({ nameOf }: { nameOf(documentId: string): string }) {
  const changed = useReadings((state) => state.readings.find(({ id }) => id === state.changedId));
  return (
    <span role="status" data-testid="reading-announcement" className="sr-only">
      {changed && text.announce[changed.state](nameOf(changed.documentId))}
    </span>
  );
}
