/** How downloads and searches go out: a proxy, and how much of the line they may take. */
import { useId } from 'react';
import type { Settings } from '../../../../host/contract/entities.ts';
import { useFieldDraft } from '../../../ui/useFieldDraft.ts';
import { networkStrings as text } from '../networkStrings.ts';
import { NumberField } from './NumberField.tsx';
import { SettingRow, SettingSection } from './SettingRow.tsx';

const megabyte = 1e6;
const rate = { least: 0.01, most: 100_000, whole: false };

export function NetworkSection({ settings: { network }, change }: { settings: Settings; change(part: Partial<Settings>): void }) {
  const hint = useId();
  const set = (part: Partial<Settings['network']>) => change({ network: { ...network, ...part } });
  return (
    <SettingSection title={text.title} hint={text.hint}>
      <SettingRow label={text.limit} hint={text.limitHint} hintId={`${hint}-limit`}>
        <span className="flex items-center gap-2">
          <NumberField
            label={text.limit}
            describedBy={`${hint}-limit`}
            field={rate}
            step={1}
            value={network.bytesPerSecond === null ? null : network.bytesPerSecond / megabyte}
            placeholder={text.none}
            onCommit={(megabytes) => set({ bytesPerSecond: megabytes === null ? null : Math.round(megabytes * megabyte) })}
          />
          {text.unit}
        </span>
      </SettingRow>
      <SettingRow label={text.proxy} hint={text.proxyHint} hintId={`${hint}-proxy`}>
        <ProxyField value={network.proxy} describedBy={`${hint}-proxy`} onCommit={(proxy) => set({ proxy })} />
      </SettingRow>
    </SettingSection>
  );
}

function ProxyField({ value, describedBy, onCommit }: { value: string | null; describedBy: string; onCommit(value: string | null): void }) {
  const [draft, setDraft] = useFieldDraft(value ?? '');
  const commit = () => {
    const written = draft.trim() === '' ? null : draft.trim();
    if (written !== value) onCommit(written);
  };
  return (
    <input
      type="text"
      inputMode="url"
      aria-label={text.proxy}
      aria-describedby={describedBy}
      value={draft}
      placeholder="http://host:port"
      onChange={(event) => setDraft(event.target.value)}
      onBlur={commit}
      onKeyDown={(event) => event.key === 'Enter' && commit()}
      className="field h-7 w-56 py-0"
    />
  );
}
