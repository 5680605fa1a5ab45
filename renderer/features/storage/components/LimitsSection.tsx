/** The person's limits, in gigabytes. */
import type { StorageUsage } from '../../../../host/contract/hub.ts';
import { attempt } from '../../../app/failures.ts';
import { NumberField } from '../../settings/components/NumberField.tsx';
import { SettingRow, SettingSection } from '../../settings/components/SettingRow.tsx';
import { settingsStore, useSettings } from '../../settings/store.ts';
import { memoriesStore } from '../../memories/store.ts';
import { storageStrings as text } from '../strings.ts';

const gigabyte = 1e9;
const field = { least: 0.1, most: 1_000_000, whole: false };
const bytesOf = (gigabytes: number | null) => (gigabytes === null ? null : Math.round(gigabytes * gigabyte));

export function LimitsSection({ usage, onChanged }: { usage: StorageUsage; onChanged(): void }) {
  const caps = useSettings((state) => state.settings.caps);
  const setCaps = (part: Partial<typeof caps>) => attempt(settingsStore.getState().update({ caps: { ...caps, ...part } }).then(onChanged));
  const limits = [
    { kind: text.kinds.models, bytes: caps.modelsBytes, set: (bytes: number | null) => setCaps({ modelsBytes: bytes }) },
    { kind: text.kinds.memories, bytes: usage.memories.capBytes, set: (bytes: number | null) => attempt(memoriesStore.getState().setQuota(bytes).then(onChanged)) },
    { kind: text.kinds.documents, bytes: caps.documentsBytes, set: (bytes: number | null) => setCaps({ documentsBytes: bytes }) },
  ];
  return (
    <SettingSection title={text.limits} hint={text.limitsHint}>
      {limits.map(({ kind, bytes, set }) => (
        <SettingRow key={kind} label={kind}>
          <span className="flex items-center gap-2">
            <NumberField label={text.limit(kind)} describedBy="" field={field} step={1} value={bytes === null ? null : bytes / gigabyte} placeholder={text.none} onCommit={(gigabytes) => set(bytesOf(gigabytes))} />
            {text.unit}
          </span>
        </SettingRow>
      ))}
    </SettingSection>
  );
}
