/** How much memory keys and values may take on the GPU and in RAM, in which format, and how long documents are read. */
import { useEffect, useId } from 'react';
import type { Settings } from '../../../../host/contract/entities.ts';
import { type KvBudgets, sparseFromTokens } from '../../../../host/contract/policy.ts';
import { attempt } from '../../../app/failures.ts';
import { formatBytes } from '../../../app/format.ts';
import { Segmented } from '../../../ui/Segmented.tsx';
import { Switch } from '../../../ui/Switch.tsx';
import { useSettings } from '../store.ts';
import { settingsStrings } from '../strings.ts';
import { NumberField } from './NumberField.tsx';
import { SettingRow, SettingSection } from './SettingRow.tsx';

const text = settingsStrings.readingMemory;
const formats = (['f16', 'q8'] as const).map((value) => ({ value, label: text.formats[value] }));

/** Of what came before, in percent. */
const shares: { value: string; label: string }[] = (['off', '50', '25'] as const).map((value) => ({ value, label: text.sparseShares[value] }));

export function ReadingMemorySection({ settings, change }: { settings: Settings; change(part: Partial<Settings>): void }) {
  const machine = useSettings((state) => state.machine);
  const adapter = useSettings((state) => state.worker.adapter);
  const loadMachine = useSettings((state) => state.loadMachine);
  const continueHint = useId();
  const liveHint = useId();
  useEffect(() => attempt(loadMachine()), [loadMachine]);
  const { kv } = settings;
  const set = (part: Partial<KvBudgets>) => change({ kv: { ...kv, ...part } });
  const totalBytes = machine?.memoryBytes ?? null;
  const total = totalBytes === null ? null : formatBytes(totalBytes);
  const software = adapter?.kind === 'software';
  return (
    <SettingSection title={text.title} hint={text.hint}>
      <SizeRow
        label={text.gpu}
        hint={software ? text.gpuHintSoftware(total) : text.gpuHint}
        bytes={kv.gpuBytes}
        // A GPU does not say how much memory it has; where the processor computes, it is the machine's.
        mostBytes={software ? totalBytes : null}
        onCommit={(gpuBytes) => set({ gpuBytes })}
      />
      <SizeRow
        label={text.ram}
        hint={text.ramHint(total, totalBytes === null ? null : formatBytes(totalBytes / 4))}
        bytes={kv.ramBytes}
        mostBytes={totalBytes}
        onCommit={(ramBytes) => set({ ramBytes })}
      />
      <SettingRow label={text.format} hint={text.formatHint}>
        <Segmented label={text.format} value={kv.format} options={formats} onChange={(format) => set({ format })} />
      </SettingRow>
      <SettingRow label={text.sparseReading} hint={text.sparseReadingHint}>
        <Segmented label={text.sparseReading} value={kv.sparseReading ? String(100 * kv.sparseReading.share) : 'off'} options={shares} onChange={(share) => set({ sparseReading: share === 'off' ? null : { share: Number(share) / 100, fromTokens: kv.sparseReading?.fromTokens ?? sparseFromTokens } })} />
      </SettingRow>
      <SettingRow label={text.continueReadings} hint={text.continueReadingsHint} hintId={continueHint}>
        <Switch label={text.continueReadings} describedBy={continueHint} checked={settings.continueReadings} onCheckedChange={(continueReadings) => change({ continueReadings })} />
      </SettingRow>
      <SettingRow label={text.liveAttention} hint={text.liveAttentionHint} hintId={liveHint}>
        <Switch label={text.liveAttention} describedBy={liveHint} checked={settings.liveAttention} onCheckedChange={(liveAttention) => change({ liveAttention })} />
      </SettingRow>
    </SettingSection>
  );
}

const gigabyte = 1e9;
const leastGigabytes = 0.01;
/** What no machine has: only there to catch a slip of the hand. */
const mostGigabytes = 10_000;

interface SizeRowProps {
  label: string;
  hint: string;
  bytes: number | null;
  /** null: unknown. */
  mostBytes: number | null;
  onCommit(bytes: number | null): void;
}

/** A size in gigabytes; empty: automatic. */
function SizeRow({ label, hint, bytes, mostBytes, onCommit }: SizeRowProps) {
  const hintId = useId();
  const most = mostBytes === null ? mostGigabytes : Math.floor((10 * mostBytes) / gigabyte) / 10;
  return (
    <SettingRow label={label} hint={hint} hintId={hintId}>
      <span className="flex items-center gap-2">
        <NumberField
          label={label}
          describedBy={hintId}
          field={{ least: leastGigabytes, most, whole: false }}
          step={0.5}
          value={bytes === null ? null : bytes / gigabyte}
          placeholder={text.automatic}
          onCommit={(gigabytes) => onCommit(gigabytes === null ? null : Math.round(gigabytes * gigabyte))}
        />
        {text.unit}
      </span>
    </SettingRow>
  );
}
