import { useEffect, useState } from 'react';
import { host } from '../../../app/connection/session.ts';
import { reportFailure } from '../../../app/failures.ts';
import { Button } from '../../../ui/Button.tsx';
import { SettingRow, SettingSection } from '../../settings/components/SettingRow.tsx';
import { diagnosticsStrings as text } from '../strings.ts';
import { LicencesDialog } from './LicencesDialog.tsx';
import { ReportDialog } from './ReportDialog.tsx';

export function DiagnosticsSection() {
  const [lines, setLines] = useState<string[]>([]);
  const [open, setOpen] = useState<'report' | 'licences' | null>(null);
  useEffect(() => {
    host.call('app.log', {}).then(setLines, reportFailure);
  }, []);
  const onOpenChange = (opened: boolean) => opened || setOpen(null);
  return (
    <SettingSection title={text.title} hint={text.hint}>
      <div className="py-2.5">
        <h3 className="font-medium">{text.log}</h3>
        {lines.length === 0 ? (
          <p className="text-small text-quiet">{text.lines(0)}</p>
        ) : (
          <details className="mt-0.5">
            <summary className="cursor-pointer rounded-sm text-small text-quiet">{text.lines(lines.length)}</summary>
            <Lines lines={lines} />
          </details>
        )}
      </div>
      <SettingRow label={text.report} hint={text.reportHint}>
        <Button onClick={() => setOpen('report')}>{text.showReport}</Button>
      </SettingRow>
      <SettingRow label={text.licences} hint={text.licencesHint}>
        <Button onClick={() => setOpen('licences')}>{text.showLicences}</Button>
      </SettingRow>
      {open === 'report' && <ReportDialog onOpenChange={onOpenChange} />}
      {open === 'licences' && <LicencesDialog onOpenChange={onOpenChange} />}
    </SettingSection>
  );
}

/** A region that scrolls can be scrolled with the keyboard. */
function Lines({ lines }: { lines: readonly string[] }) {
  return (
    // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- what scrolls takes the focus
    <pre data-testid="log" tabIndex={0} aria-label={text.log} role="region" className="selectable mt-2 max-h-72 overflow-auto text-small whitespace-pre">
      {lines.join('\n')}
    </pre>
  );
}
