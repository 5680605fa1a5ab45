/** Under an answer that is being written: where its latest tokens looked. Gives way to the sources once they are known. */
import { useEffect } from 'react';
import type { Message } from '../../../../host/contract/entities.ts';
import { liveProfile, liveZones } from '../liveAnswer.ts';
import { liveStore, useLive } from '../liveStore.ts';
import { useInspector } from '../store.ts';
import { inspectorStrings } from '../strings.ts';
import { RibbonStrip } from './Ribbons.tsx';
import { zoneColours, zoneNames } from './ZoneSplit.tsx';

const text = inspectorStrings.live;

export function LiveAttention({ message }: { message: Message }) {
  const writing = message.state === 'streaming';
  const live = useLive(message.id);
  const looked = useInspector((state) => state.known[message.id]?.evidence ?? null);
  useEffect(() => {
    if (message.state !== 'failed') void liveStore.getState().load(message.id);
  }, [message.id, message.state]);
  if (!live || looked) return null;
  const tokens = writing ? 'latest' : 'all';
  const zones = liveZones(live, tokens);
  return (
    <section aria-label={text.title} data-testid="live-attention" data-tokens={live.zones.length} className="mt-2.5 max-w-xl rounded-lg border border-line px-3.5 py-2.5">
      <h3 className="pb-1.5 text-small text-quiet" title={text.hint(live.view.heads.length)}>
        {writing ? text.latest : text.whole}
      </h3>
      {live.view.documents.map((document, index) => (
        <RibbonStrip key={document.documentId} document={document} profile={liveProfile(live, index, tokens)} label={inspectorStrings.ribbon(document.name)} />
      ))}
      <span aria-hidden className="mt-2 flex h-1.5 overflow-hidden rounded-sm">
        {zoneNames.map((zone) => (
          <span key={zone} className={zoneColours[zone]} style={{ width: `${100 * zones[zone]}%` }} />
        ))}
      </span>
      <dl data-testid="live-zones" className="mt-1.5 flex flex-wrap gap-x-4 text-small text-faint tabular-nums">
        {zoneNames.map((zone) => (
          <div key={zone} className="flex items-center gap-1.5">
            <dt className="flex items-center gap-1.5">
              <span aria-hidden className={`inline-block size-2 rounded-full ${zoneColours[zone]}`} />
              {inspectorStrings.timeline.zones[zone]}
            </dt>
            <dd>{inspectorStrings.percent(zones[zone])}</dd>
          </div>
        ))}
      </dl>
    </section>
  );
}
