/** A GGUF file chosen by hand, by dialog in the desktop window, by upload in a browser; and how far what is added is. */
import { FolderOpen, X } from 'lucide-react';
import { attempt } from '../../../app/failures.ts';
import { pickFiles } from '../../../app/files.ts';
import { said } from '../../../app/said/said.ts';
import { strings } from '../../../app/strings.ts';
import { Button } from '../../../ui/Button.tsx';
import { IconButton } from '../../../ui/IconButton.tsx';
import { Notice } from '../../../ui/Notice.tsx';
import { ProgressBar } from '../../../ui/ProgressBar.tsx';
import { folderStrings } from '../hubStrings.ts';
import { modelsStore, useModels } from '../store.ts';
import { modelsStrings as text } from '../strings.ts';

async function importModel(): Promise<void> {
  const [file] = await pickFiles('model');
  if (file) await modelsStore.getState().importModel(file);
}

export function ImportButton() {
  const busy = useModels((state) => state.importing !== null && state.importing.failure === null);
  return (
    <Button disabled={busy} onClick={() => attempt(importModel())}>
      <FolderOpen size={14} aria-hidden />
      {text.import}
    </Button>
  );
}

export function ImportProgress() {
  const importing = useModels((state) => state.importing);
  if (!importing) return null;
  const { name, fraction, failure } = importing;
  if (failure) {
    const dismiss = () => modelsStore.getState().dismissImport();
    return (
      <Notice
        tone="danger"
        className="my-3"
        message={failure.message}
        remedy={failure.remedy}
        actions={<IconButton icon={X} size="small" label={strings.common.close} onClick={dismiss} />}
      />
    );
  }
  const uploading = fraction !== null && fraction < 1;
  return (
    <div className="my-3 rounded-lg border border-line px-3.5 py-2.5" data-testid="import-progress">
      <p className="mb-1.5 font-medium">{text.importing(name)}</p>
      <ProgressBar fraction={uploading ? fraction : null} label={text.importing(name)} />
      <p className="mt-1.5 text-small text-quiet tabular-nums">{uploading ? text.uploading(Math.floor(fraction * 100)) : text.checking}</p>
    </div>
  );
}

/** What a folder had in it, and why some of it is of no use. */
export function ImportOutcome() {
  const imported = useModels((state) => state.imported);
  if (!imported) return null;
  const { added, failed } = imported;
  return (
    <div className="mb-6" data-testid="import-outcome">
      <div className="flex items-center justify-between gap-4">
        <p role="status" className="text-quiet">
          {folderStrings.added(added.length, failed.length)}
        </p>
        <IconButton icon={X} size="small" label={strings.common.close} onClick={() => modelsStore.getState().dismissImport()} />
      </div>
      {failed.length > 0 && (
        <ul className="mt-1 divide-y divide-line border-y border-line">
          {failed.map(({ name, failure }) => (
            <li key={name} className="selectable py-1.5 text-small">
              <span className="font-medium break-all">{name}</span>
              <span className="block text-danger-text">{said(failure.message)}</span>
              <span className="text-quiet">{said(failure.remedy)}</span>
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}
