import { useId } from 'react';
import type { MemoryUsage } from '../../../../host/contract/entities.ts';
import { attempt } from '../../../app/failures.ts';
import { formatBytes, fractionOf } from '../../../app/format.ts';
import { ProgressBar } from '../../../ui/ProgressBar.tsx';
import { NumberField } from '../../settings/components/NumberField.tsx';
import { SettingRow, SettingSection } from '../../settings/components/SettingRow.tsx';
import { memoriesStore } from '../store.ts';
import { memoriesStrings as text } from '../strings.ts';

const gigabyte = 1e9;
const quotaField = { least: 0.1, most: 1_000_000, whole: false };

/** How much is kept, how much more can be, and the person's limit. */
export function SpaceSection({ usage: { usedBytes, quotaBytes, freeBytes } }: { usage: MemoryUsage }) {
  const hint = useId();
  const setQuota = (gigabytes: number | null) => attempt(memoriesStore.getState().setQuota(gigabytes === null ? null : Math.round(gigabytes * gigabyte)));
  const used = quotaBytes === null ? formatBytes(usedBytes) : text.usedOf(formatBytes(usedBytes), formatBytes(quotaBytes));
  return (
    <SettingSection title={text.space}>
      <SettingRow label={text.used} hint={text.room(formatBytes(freeBytes))}>
        <div className="w-56 max-w-full text-right tabular-nums" data-testid="memory-usage">
          {used}
          <ProgressBar className="mt-1.5" fraction={fractionOf(usedBytes, usedBytes + freeBytes) ?? 0} label={text.used} />
        </div>
      </SettingRow>
      <SettingRow label={text.quota} hint={text.quotaHint} hintId={hint}>
        <span className="flex items-center gap-2">
          <NumberField
            label={text.quota}
            describedBy={hint}
            field={quotaField}
            step={1}
            value={quotaBytes === null ? null : quotaBytes / gigabyte}
            placeholder={text.noQuota}
            onCommit={setQuota}
          />
          {text.quotaUnit}
        </span>
      </SettingRow>
    </SettingSection>
  );
}
