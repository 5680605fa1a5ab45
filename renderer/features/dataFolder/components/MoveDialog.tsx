/** Asks where to, and says what the move would take before it begins. */
import type { MovePlan } from '../../../../host/contract/dataFolder.ts';
import { attempt } from '../../../app/failures.ts';
import { pickFolder } from '../../../app/files.ts';
import { formatBytes } from '../../../app/format.ts';
import { Button } from '../../../ui/Button.tsx';
import { Dialog } from '../../../ui/Dialog.tsx';
import { Notice } from '../../../ui/Notice.tsx';
import { PathForm } from '../../../ui/PathForm.tsx';
import { FactRow } from '../../settings/components/SettingRow.tsx';
import { dataFolderStore, useDataFolder } from '../store.ts';
import { dataFolderStrings as text } from '../strings.ts';

async function choose(): Promise<void> {
  const folder = await pickFolder();
  if (folder) await dataFolderStore.getState().ask({ fileId: folder.fileId });
}

export function MoveDialog({ open, onOpenChange }: { open: boolean; onOpenChange(open: boolean): void }) {
  const asked = useDataFolder((state) => state.asked);
  const change = (next: boolean) => {
    if (!next) dataFolderStore.getState().dismiss();
    onOpenChange(next);
  };
  return (
    <Dialog open={open} onOpenChange={change} title={text.title} description={text.lead}>
      {window.longleaf ? <Button onClick={() => attempt(choose())}>{text.choose}</Button> : <PathForm label={text.path} hint={text.pathHint} submit={text.check} onSubmit={(path) => attempt(dataFolderStore.getState().ask({ path }))} onEdit={() => dataFolderStore.getState().dismiss()} />}
      {asked?.failure && <Notice tone="danger" className="mt-3" message={asked.failure.message} remedy={asked.failure.remedy} />}
      {asked?.plan && <Plan plan={asked.plan} />}
    </Dialog>
  );
}

function Plan({ plan: { path, bytes, freeBytes, sameDrive, jobs } }: { plan: MovePlan }) {
  const from = useDataFolder((state) => state.status?.path ?? '');
  return (
    <div className="mt-3" data-testid="move-plan">
      <dl className="border-y border-line py-1">
        <FactRow label={text.from}>{from}</FactRow>
        <FactRow label={text.to}>{path}</FactRow>
        <FactRow label={text.takes}>
          {formatBytes(bytes)}
          <span className="text-quiet"> · {sameDrive ? text.sameDrive : text.free(formatBytes(freeBytes))}</span>
        </FactRow>
      </dl>
      {jobs > 0 && <Notice tone="warning" className="mt-3" message={text.jobs(jobs)} />}
      <div className="mt-3 flex justify-end">
        <Button variant="primary" onClick={() => attempt(dataFolderStore.getState().move())}>
          {jobs > 0 ? text.stopAndBegin : text.begin}
        </Button>
      </div>
    </div>
  );
}
