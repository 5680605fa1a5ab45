import { useReadings } from '../store.ts';
import { readingsStrings as text } from '../strings.ts';
import { ReadingRow } from './ReadingRow.tsx';

/** Readings that are under way, paused or failed: on the memories page. */
export function UnfinishedReadings() {
  const readings = useReadings((state) => state.readings);
  const unfinished = readings.filter(({ state }) => state !== 'done');
  if (unfinished.length === 0) return null;
  return (
    <section aria-labelledby="memories-unfinished" className="mb-8">
      <h2 id="memories-unfinished" className="text-body font-semibold">
        {text.unfinished}
      </h2>
      <p className="mb-1.5 text-small text-quiet">{text.unfinishedHint}</p>
      <ul className="divide-y divide-line border-y border-line">
        {unfinished.map((reading) => (
          <li key={reading.id} className="py-2.5">
            <ReadingRow reading={reading} />
          </li>
        ))}
      </ul>
    </section>
  );
}
