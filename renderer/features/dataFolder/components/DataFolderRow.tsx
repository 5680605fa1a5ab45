/** The data folder in the settings: where it is, and the way to another place. */
import { useState } from 'react';
import { attempt } from '../../../app/failures.ts';
import { Button } from '../../../ui/Button.tsx';
import { CopyButton } from '../../../ui/CopyButton.tsx';
import { Notice } from '../../../ui/Notice.tsx';
import { FactRow } from '../../settings/components/SettingRow.tsx';
import { settingsStrings } from '../../settings/strings.ts';
import { dataFolderStore, useDataFolder } from '../store.ts';
import { dataFolderStrings as text } from '../strings.ts';
import { MoveDialog } from './MoveDialog.tsx';

export function DataFolderRow({ path }: { path: string }) {
  const [open, setOpen] = useState(false);
  const last = useDataFolder((state) => state.status?.last ?? null);
  const unfinished = useDataFolder((state) => state.status?.unfinished ?? null);
  const goOn = () => {
    attempt(dataFolderStore.getState().ask('unfinished'));
    setOpen(true);
  };
  return (
    <FactRow label={settingsStrings.machine.dataFolder}>
      <span className="flex items-center gap-1">
        <span className="min-w-0 break-all" data-testid="data-folder">
          {path}
        </span>
        <CopyButton label={settingsStrings.machine.copyDataFolder} text={() => path} />
        <Button className="ml-auto" onClick={() => setOpen(true)}>
          {text.move}
        </Button>
      </span>
      <span className="block text-small text-quiet">{settingsStrings.machine.dataFolderHint}</span>
      {last && <Notice tone={last.failure ? 'danger' : 'info'} className="mt-2" message={last.failure?.message ?? text.moved(last.path)} remedy={last.failure?.remedy} />}
      {unfinished !== null && (
        <Notice
          tone="warning"
          className="mt-2"
          message={text.unfinished(unfinished)}
          actions={
            <>
              <Button onClick={goOn}>{text.resume}</Button>
              <Button onClick={() => attempt(dataFolderStore.getState().discard())}>{text.undo}</Button>
            </>
          }
        />
      )}
      <MoveDialog open={open} onOpenChange={setOpen} />
    </FactRow>
  );
}
