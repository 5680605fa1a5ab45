/** The local API: on or off, its port, where it answers, the key, and a call to begin with. */
import { Eye, EyeOff } from 'lucide-react';
import { useEffect, useId, useState } from 'react';
import type { ApiStatus, Settings } from '../../../../host/contract/entities.ts';
import { host } from '../../../app/connection/session.ts';
import { attempt, reportFailure } from '../../../app/failures.ts';
import { Button } from '../../../ui/Button.tsx';
import { ConfirmDialog } from '../../../ui/ConfirmDialog.tsx';
import { CopyButton } from '../../../ui/CopyButton.tsx';
import { IconButton } from '../../../ui/IconButton.tsx';
import { Notice } from '../../../ui/Notice.tsx';
import { Switch } from '../../../ui/Switch.tsx';
import { settingsStrings } from '../strings.ts';
import { NumberField } from './NumberField.tsx';
import { SettingRow, SettingSection } from './SettingRow.tsx';

const text = settingsStrings.api;
const portField = { least: 0, most: 65_535, whole: true };

export function ApiSection({ settings: { api }, change }: { settings: Settings; change(part: Partial<Settings>): void }) {
  const status = useApiStatus();
  const enabledHint = useId();
  const portHint = useId();
  return (
    <SettingSection title={text.title} hint={text.hint}>
      <SettingRow label={text.enabled} hint={text.enabledHint} hintId={enabledHint}>
        <Switch label={text.enabled} describedBy={enabledHint} checked={api.enabled} onCheckedChange={(enabled) => change({ api: { ...api, enabled } })} />
      </SettingRow>
      <SettingRow label={text.port} hint={text.portHint} hintId={portHint}>
        <NumberField label={text.port} describedBy={portHint} field={portField} step={1} value={api.port} onCommit={(port) => port !== null && change({ api: { ...api, port } })} />
      </SettingRow>
      {status?.failure && <Notice tone="danger" className="my-2.5" message={status.failure.message} remedy={status.failure.remedy} />}
      {status && (
        <>
          <SettingRow label={text.address} hint={status.address === null ? text.notRunning : text.addressHint}>
            {status.address !== null && (
              <span className="flex items-center gap-1">
                <code className="selectable" data-testid="api-address">
                  {status.address}
                </code>
                <CopyButton label={text.copyAddress} text={() => status.address ?? ''} />
              </span>
            )}
          </SettingRow>
          <KeyRow status={status} />
          {status.address !== null && <Example address={status.address} />}
        </>
      )}
    </SettingSection>
  );
}

function useApiStatus(): ApiStatus | null {
  const [status, setStatus] = useState<ApiStatus | null>(null);
  useEffect(() => {
    host.call('api.status', {}).then(setStatus, reportFailure);
    return host.on('api.changed', setStatus);
  }, []);
  return status;
}

function KeyRow({ status: { key } }: { status: ApiStatus }) {
  const [shown, setShown] = useState(false);
  const [asking, setAsking] = useState(false);
  return (
    <SettingRow label={text.key} hint={text.keyHint}>
      <span className="flex items-center gap-1">
        <code className="selectable max-w-56 truncate" data-testid="api-key">
          {shown ? key : '•'.repeat(16)}
        </code>
        <IconButton icon={shown ? EyeOff : Eye} size="small" iconSize={14} label={shown ? text.hideKey : text.showKey} onClick={() => setShown(!shown)} />
        <CopyButton label={text.copyKey} text={() => key} />
        <Button onClick={() => setAsking(true)}>{text.regenerate}</Button>
      </span>
      <ConfirmDialog
        open={asking}
        onOpenChange={setAsking}
        title={text.regenerateTitle}
        description={text.regenerateHint}
        confirmLabel={text.regenerate}
        onConfirm={() => attempt(host.call('api.regenerateKey', {}))}
      />
    </SettingRow>
  );
}

function Example({ address }: { address: string }) {
  const example = `curl ${address}/chat/completions \\
  -H "Authorization: Bearer $LONGLEAF_KEY" -H "Content-Type: application/json" \\
  -d '{"messages": [{"role": "user", "content": "Who is Mr Casaubon?"}]}'`;
  return (
    <div className="py-2.5">
      <div className="flex items-center justify-between">
        <span className="font-medium">{text.example}</span>
        <CopyButton label={text.copyExample} text={() => example} />
      </div>
      {/* oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex */}
      <pre tabIndex={0} className="selectable mt-1 overflow-x-auto rounded-md bg-sunken p-3 font-mono text-small">
        {example}
      </pre>
      <p className="mt-1 text-small text-quiet">{text.documentsHint}</p>
    </div>
  );
}
