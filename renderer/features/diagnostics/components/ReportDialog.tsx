import { useEffect, useState } from 'react';
import { host } from '../../../app/connection/session.ts';
import { reportFailure } from '../../../app/failures.ts';
import { saveText } from '../../../app/files.ts';
import { strings } from '../../../app/strings.ts';
import { Button } from '../../../ui/Button.tsx';
import { CopyButton } from '../../../ui/CopyButton.tsx';
import { Dialog } from '../../../ui/Dialog.tsx';
import { useFocusWhenShown } from '../../../ui/useFocusWhenShown.ts';
import { diagnosticsStrings as text } from '../strings.ts';

export function ReportDialog({ onOpenChange }: { onOpenChange(open: boolean): void }) {
  const [report, setReport] = useState<string | null>(null);
  useEffect(() => {
    host.call('app.diagnostics', {}).then((written) => setReport(written.text), reportFailure);
  }, []);
  return (
    <Dialog open onOpenChange={onOpenChange} title={text.reportTitle} description={text.reportDescription} className="sm:w-[min(92vw,46rem)]">
      {report === null ? <p className="text-quiet">{strings.common.loading}</p> : <Report report={report} />}
    </Dialog>
  );
}

function Report({ report }: { report: string }) {
  const element = useFocusWhenShown<HTMLPreElement>();
  return (
    <>
      <pre
        ref={element}
        data-testid="report"
        // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- what scrolls takes the focus
        tabIndex={0}
        role="region"
        aria-label={text.reportTitle}
        className="selectable max-h-[50vh] overflow-auto rounded-md border border-line p-3 text-small whitespace-pre"
      >
        {report}
      </pre>
      <div className="mt-3 flex items-center justify-end gap-2">
        <CopyButton label={strings.common.copy} text={() => report} />
        <Button onClick={() => saveText(text.fileName, report, 'text/plain')}>{text.save}</Button>
      </div>
    </>
  );
}
