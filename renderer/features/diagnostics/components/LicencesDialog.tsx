import { useEffect, useState } from 'react';
import type { MethodResult } from '../../../../host/contract/methods.ts';
import { host } from '../../../app/connection/session.ts';
import { reportFailure } from '../../../app/failures.ts';
import { strings } from '../../../app/strings.ts';
import { Dialog } from '../../../ui/Dialog.tsx';
import { useFocusWhenShown } from '../../../ui/useFocusWhenShown.ts';
import { diagnosticsStrings as text } from '../strings.ts';

type Licences = MethodResult<'app.licences'>;

export function LicencesDialog({ onOpenChange }: { onOpenChange(open: boolean): void }) {
  const [licences, setLicences] = useState<Licences | null>(null);
  useEffect(() => {
    host.call('app.licences', {}).then(setLicences, reportFailure);
  }, []);
  return (
    <Dialog
      open
      onOpenChange={onOpenChange}
      title={text.licencesTitle}
      description={licences ? text.licencesDescription(licences.length) : strings.common.loading}
      className="sm:w-[min(92vw,46rem)]"
    >
      {licences && <LicenceList licences={licences} />}
    </Dialog>
  );
}

function LicenceList({ licences }: { licences: Licences }) {
  const element = useFocusWhenShown<HTMLUListElement>();
  return (
    <ul ref={element} data-testid="licences" tabIndex={-1} className="divide-y divide-line outline-none">
      {licences.map((licence) => (
        <LicenceItem key={`${licence.name} ${licence.version}`} licence={licence} />
      ))}
    </ul>
  );
}

/** Hundreds of texts would slow the dialog down: each is there once it is wanted. */
function LicenceItem({ licence: { name, version, licence, text: words } }: { licence: Licences[number] }) {
  const [open, setOpen] = useState(false);
  return (
    <li>
      <details className="py-1.5" onToggle={(event) => setOpen(event.currentTarget.open)}>
        <summary className="cursor-pointer rounded-sm">
          <span className="font-medium">{name}</span> <span className="text-quiet">{version}</span>
          <span className="float-right text-small text-quiet">{licence}</span>
        </summary>
        {open && <pre className="selectable mt-1.5 text-small whitespace-pre-wrap text-quiet">{words}</pre>}
      </details>
    </li>
  );
}
