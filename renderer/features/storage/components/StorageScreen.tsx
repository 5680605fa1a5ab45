/** One page for all bytes: what takes how much, and the limits. */
import { useEffect } from 'react';
import type { StorageUsage } from '../../../../host/contract/hub.ts';
import { ScreenHeader } from '../../../app/ScreenHeader.tsx';
import { formatBytes, fractionOf } from '../../../app/format.ts';
import { strings } from '../../../app/strings.ts';
import { type Screen, viewStore } from '../../../app/view.ts';
import { Button } from '../../../ui/Button.tsx';
import { Notice } from '../../../ui/Notice.tsx';
import { ProgressBar } from '../../../ui/ProgressBar.tsx';
import { ScrollRegion } from '../../../ui/ScrollRegion.tsx';
import { FactRow } from '../../settings/components/SettingRow.tsx';
import { storageStore, useStorage } from '../store.ts';
import { storageStrings as text } from '../strings.ts';
import { LimitsSection } from './LimitsSection.tsx';

type Kind = keyof typeof text.kinds;
const kinds: { kind: Kind; screen?: Screen }[] = [
  { kind: 'models', screen: 'models' },
  { kind: 'downloads', screen: 'models' },
  { kind: 'memories', screen: 'memories' },
  { kind: 'documents' },
  { kind: 'chats' },
  { kind: 'backups' },
  { kind: 'linkedModels', screen: 'models' },
];

const load = () => void storageStore.getState().load();

export function StorageScreen() {
  const usage = useStorage((state) => state.usage);
  const failure = useStorage((state) => state.failure);
  useEffect(load, []);
  return (
    <>
      <ScreenHeader>
        <h1 className="text-body font-semibold">{text.title}</h1>
      </ScreenHeader>
      <ScrollRegion label={text.title} className="flex-1">
        <div className="mx-auto max-w-[46rem] px-6 pt-6 pb-8">
          {failure && <Notice tone="danger" className="mb-6" message={failure.message} remedy={failure.remedy} actions={<Button onClick={load}>{strings.common.tryAgain}</Button>} />}
          {usage && (
            <>
              <Shares usage={usage} />
              <LimitsSection usage={usage} onChanged={load} />
              <dl className="border-y border-line py-1">
                <FactRow label={text.folder}>{usage.dataFolder}</FactRow>
              </dl>
            </>
          )}
        </div>
      </ScrollRegion>
    </>
  );
}

function Shares({ usage }: { usage: StorageUsage }) {
  const shown = kinds.filter(({ kind }) => usage[kind].bytes > 0 || !['downloads', 'backups', 'linkedModels'].includes(kind));
  const own = kinds.filter(({ kind }) => kind !== 'linkedModels').reduce((sum, { kind }) => sum + usage[kind].bytes, 0);
  return (
    <section aria-label={text.share} className="mb-8">
      <header className="mb-1 flex flex-wrap items-end justify-between gap-x-4">
        <div>
          <h2 className="text-body font-semibold">{text.total(formatBytes(own))}</h2>
          <p className="text-small text-quiet">{text.lead}</p>
        </div>
        <p className="text-small text-quiet tabular-nums">{text.free(formatBytes(usage.diskFreeBytes))}</p>
      </header>
      <ul className="divide-y divide-line border-y border-line" data-testid="storage">
        {shown.map(({ kind, screen }) => {
          const { bytes, capBytes: cap = null }: { bytes: number; capBytes?: number | null } = usage[kind];
          return (
            <li key={kind} aria-label={text.kinds[kind]} className="grid grid-cols-[1fr_9rem_4rem] items-center gap-x-4 py-2.5">
              <div className="min-w-0">
                <p className="font-medium">{text.kinds[kind]}</p>
                <p className="text-small text-quiet">{text.hints[kind]}</p>
              </div>
              <div className="text-right tabular-nums">
                {cap === null ? formatBytes(bytes) : `${formatBytes(bytes)} / ${formatBytes(cap)}`}
                <ProgressBar className="mt-1.5" fraction={fractionOf(bytes, cap ?? Math.max(own, bytes)) ?? 0} label={text.kinds[kind]} />
              </div>
              {screen ? (
                <Button variant="ghost" aria-label={text.show(text.kinds[kind])} onClick={() => viewStore.getState().show(screen)}>
                  {text.open}
                </Button>
              ) : (
                <span />
              )}
            </li>
          );
        })}
      </ul>
    </section>
  );
}
