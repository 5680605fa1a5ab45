/** Newer versions: looked for when the person asks, fetched when they ask again. */
import { useEffect, useState } from 'react';
import type { UpdateState } from '../../../../host/contract/updates.ts';
import { host } from '../../../app/connection/session.ts';
import { attempt, reportFailure } from '../../../app/failures.ts';
import { Button } from '../../../ui/Button.tsx';
import { formatBytes } from '../../../app/format.ts';
import { updateStrings as text } from '../updateStrings.ts';
import { SettingRow, SettingSection } from './SettingRow.tsx';

export function UpdatesSection() {
  const [configured, setConfigured] = useState(false);
  const [state, setState] = useState<UpdateState | null>(null);
  const [fetched, setFetched] = useState<{ version: string; path: string } | null>(null);
  const [busy, setBusy] = useState(false);
  useEffect(() => {
    host.call('updates.configured', {}).then((answer) => setConfigured(answer.configured), reportFailure);
  }, []);
  const during = (work: () => Promise<void>) => {
    setBusy(true);
    attempt(work().finally(() => setBusy(false)));
  };
  const check = () => during(async () => setState(await host.call('updates.check', {})));
  const fetchIt = () => during(async () => setFetched(await host.call('updates.fetch', {})));
  return (
    <SettingSection title={text.title}>
      <SettingRow label={text.label} hint={configured ? said(state, fetched) : text.off}>
        {configured && fetched === null && (
          <Button disabled={busy} onClick={state?.kind === 'available' ? fetchIt : check}>
            {state?.kind === 'available' ? text.fetch : text.check}
          </Button>
        )}
      </SettingRow>
      {state?.kind === 'available' && state.notes !== '' && <p className="selectable whitespace-pre-wrap py-2.5 text-small">{state.notes}</p>}
    </SettingSection>
  );
}

function said(state: UpdateState | null, fetched: { version: string; path: string } | null): string {
  if (fetched) return text.fetched(fetched.version, fetched.path);
  if (state?.kind === 'available') return text.available(state.version, formatBytes(state.sizeBytes));
  return state?.kind === 'current' ? text.current(state.version) : text.unasked;
}
