/** Models of this machine: a file or a folder, kept in the data folder or used where it is. */
import { FilePlus, FolderPlus, Plus } from 'lucide-react';
import { useState } from 'react';
import { attempt } from '../../../app/failures.ts';
import { pickFiles, pickFolder } from '../../../app/files.ts';
import { Button } from '../../../ui/Button.tsx';
import { Dialog } from '../../../ui/Dialog.tsx';
import { PathForm } from '../../../ui/PathForm.tsx';
import { Segmented } from '../../../ui/Segmented.tsx';
import { type ImportWay, modelsStore, useModels } from '../store.ts';
import { modelsStrings } from '../strings.ts';
import { ImportProgress } from './ImportModel.tsx';

const text = modelsStrings.adding;

type Way = 'keep' | 'link';
const ways: { value: Way; label: string }[] = [
  { value: 'keep', label: text.ways.keep },
  { value: 'link', label: text.ways.link },
];

export function AddModelsButton({ onClick }: { onClick(): void }) {
  return (
    <Button onClick={onClick}>
      <Plus size={14} aria-hidden />
      {text.button}
    </Button>
  );
}

/** `first`: what is chosen when it opens. */
export function AddModelsDialog({ first, onClose }: { first: Way; onClose(): void }) {
  const [way, setWay] = useState<Way>(first);
  const busy = useModels((state) => state.importing !== null && state.importing.failure === null);
  const how: ImportWay = way === 'link' ? 'link' : undefined;
  const close = () => {
    // A refusal was read here; what is under way goes on, and the page shows it.
    if (!busy) modelsStore.getState().dismissImport();
    onClose();
  };
  const addFile = async () => {
    const [file] = await pickFiles('model');
    if (file && (await modelsStore.getState().importModel(file, how))) onClose();
  };
  const addFolder = async () => {
    const folder = await pickFolder();
    if (folder && (await modelsStore.getState().importFolder(folder, how))) onClose();
  };
  const addPath = async (path: string) => {
    if (await modelsStore.getState().importPath(path, how)) onClose();
  };
  return (
    <Dialog open onOpenChange={(open) => !open && close()} title={text.title} description={text.lead}>
      <Segmented<Way> label={text.how} value={way} options={ways} onChange={setWay} />
      <p className="mt-1.5 mb-4 text-small text-quiet">{text.hints[way]}</p>
      {window.longleaf ? (
        <div className="flex gap-2">
          <Button disabled={busy} onClick={() => attempt(addFile())}>
            <FilePlus size={14} aria-hidden />
            {text.file}
          </Button>
          <Button disabled={busy} onClick={() => attempt(addFolder())}>
            <FolderPlus size={14} aria-hidden />
            {text.folder}
          </Button>
        </div>
      ) : (
        <>
          <PathForm label={text.path} hint={text.pathHint} submit={text.add} disabled={busy} onSubmit={(path) => attempt(addPath(path))} />
          {way === 'keep' && (
            <p className="mt-4 flex flex-wrap items-center gap-3">
              <Button disabled={busy} onClick={() => attempt(addFile())}>
                <FilePlus size={14} aria-hidden />
                {text.upload}
              </Button>
              <span className="min-w-48 flex-1 text-small text-quiet">{text.uploadHint}</span>
            </p>
          )}
        </>
      )}
      <ImportProgress />
    </Dialog>
  );
}
