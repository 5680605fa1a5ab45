/** Asks where to, and says what the move would take before it begins. */
import { type FormEvent, useId, useState } from 'react';
import type { MovePlan } from '../../../../host/contract/dataFolder.ts';
import { attempt } from '../../../app/failures.ts';
import { pickFolder } from '../../../app/files.ts';
import { formatBytes } from '../../../app/format.ts';
import { Button } from '../../../ui/Button.tsx';
import { Dialog } from '../../../ui/Dialog.tsx';
import { Notice } from '../../../ui/Notice.tsx';
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
      {window.longleaf ? <Button onClick={() => attempt(choose())}>{text.choose}</Button> : <PathField />}
      {asked?.failure && <Notice tone="danger" className="mt-3" message={asked.failure.message} remedy={asked.failure.remedy} />}
      {asked?.plan && <Plan plan={asked.plan} />}
    </Dialog>
  );
}

/** A browser has no dialog that could name a folder of this machine. */
function PathField() {
  const [path, setPath] = useState('');
  const id = useId();
  const check = (event: FormEvent) => {
    event.preventDefault();
    attempt(dataFolderStore.getState().ask({ path }));
  };
  return (
    <form onSubmit={check}>
      <label htmlFor={id} className="font-medium">
        {text.path}
      </label>
      <div className="mt-1 flex gap-2">
        <input
          id={id}
          aria-describedby={`${id}-hint`}
          value={path}
          spellCheck={false}
          autoComplete="off"
          onChange={(event) => {
            setPath(event.target.value);
            dataFolderStore.getState().dismiss();
          }}
          className="field h-7 min-w-0 flex-1 py-0"
        />
        <Button type="submit" disabled={path.trim() === ''}>
          {text.check}
        </Button>
      </div>
      <p id={`${id}-hint`} className="mt-1 text-small text-quiet">
        {text.pathHint}
      </p>
    </form>
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
