/** Finding models at the hub. */
import { useEffect, useState } from 'react';
import { attempt } from '../../../app/failures.ts';
import { formatCount } from '../../../app/format.ts';
import { Button } from '../../../ui/Button.tsx';
import { Select } from '../../../ui/Select.tsx';
import { SettingRow, SettingSection } from '../../settings/components/SettingRow.tsx';
import { hubStore, useHub } from '../hubStore.ts';
import { hubStrings as text } from '../hubStrings.ts';
import { DownloadsSection } from './DownloadsSection.tsx';
import { HubResults } from './HubResults.tsx';
import { HubSearch } from './HubSearch.tsx';

const windows = [4096, 8192, 16_384, 32_768, 65_536, 131_072, 262_144, 1_048_576];

export function HubTab() {
  return (
    <>
      <DownloadsSection />
      <HubSearch />
      <WindowChoice />
      <HubResults />
      <TokenSection />
    </>
  );
}

function WindowChoice() {
  const contextTokens = useHub((state) => state.contextTokens);
  return (
    <p className="mt-3 flex flex-wrap items-center gap-2">
      <span>{text.window}</span>
      <Select label={text.window} value={contextTokens} onChange={(event) => hubStore.getState().setContext(Number(event.target.value))}>
        {windows.map((tokens) => (
          <option key={tokens} value={tokens}>
            {text.tokens(formatCount(tokens))}
          </option>
        ))}
      </Select>
    </p>
  );
}

function TokenSection() {
  const token = useHub((state) => state.token);
  const [draft, setDraft] = useState('');
  useEffect(() => attempt(hubStore.getState().loadToken()), []);
  const save = () => {
    attempt(hubStore.getState().setToken(draft.trim()));
    setDraft('');
  };
  return (
    <div className="mt-8">
      <SettingSection title={text.token.title} hint={text.token.hint}>
        <SettingRow label={token?.kept ? text.token.kept(token.kept) : text.token.none}>
          <form
            className="flex gap-2"
            onSubmit={(event) => {
              event.preventDefault();
              if (draft.trim() !== '') save();
            }}
          >
            <input type="password" autoComplete="off" aria-label={text.token.field} placeholder="hf_…" value={draft} onChange={(event) => setDraft(event.target.value)} className="field h-7 w-44 py-0" />
            <Button type="submit" disabled={draft.trim() === ''}>
              {text.token.save}
            </Button>
            {(token?.kept === 'system' || token?.kept === 'file') && <Button onClick={() => attempt(hubStore.getState().setToken(null))}>{text.token.forget}</Button>}
          </form>
        </SettingRow>
      </SettingSection>
    </div>
  );
}
