/** Where models are: the data folder, and other folders and drives. */
import { FolderPlus } from 'lucide-react';
import { useEffect } from 'react';
import type { ModelFolder } from '../../../../host/contract/hub.ts';
import { attempt } from '../../../app/failures.ts';
import { formatBytes, fractionOf } from '../../../app/format.ts';
import { Button } from '../../../ui/Button.tsx';
import { ProgressBar } from '../../../ui/ProgressBar.tsx';
import { foldersStore, useFolders } from '../foldersStore.ts';
import { folderStrings as text } from '../hubStrings.ts';
import { useModels } from '../store.ts';

export function FoldersSection({ onAdd }: { onAdd(): void }) {
  const folders = useFolders((state) => state.folders);
  const models = useModels((state) => state.models);
  // oxlint-disable-next-line react/exhaustive-effect-dependencies -- other models, other bytes
  useEffect(() => attempt(foldersStore.getState().load()), [models]);
  return (
    <section aria-labelledby="models-folders" className="mt-8">
      <div className="mb-1.5 flex items-end justify-between gap-4">
        <div>
          <h2 id="models-folders" className="text-body font-semibold">
            {text.title}
          </h2>
          <p className="text-small text-quiet">{text.hint}</p>
        </div>
        <Button onClick={onAdd}>
          <FolderPlus size={14} aria-hidden />
          {text.add}
        </Button>
      </div>
      <ul className="divide-y divide-line border-y border-line" data-testid="model-folders">
        {folders.map((folder) => (
          <FolderItem key={folder.path} folder={folder} />
        ))}
      </ul>
    </section>
  );
}

function FolderItem({ folder: { id, path, modelBytes, freeBytes, receives, state } }: { folder: ModelFolder }) {
  return (
    <li className="flex flex-wrap items-center gap-x-4 gap-y-1.5 py-2.5">
      <div className="min-w-56 flex-1">
        <p className="selectable break-all">{id === null ? text.own : path}</p>
        {id === null && <p className="selectable text-small break-all text-faint">{path}</p>}
        {state === 'missing' ? (
          <p className="text-small text-danger-text">{text.missing}</p>
        ) : (
          <>
            <ProgressBar className="mt-1.5 max-w-72" fraction={fractionOf(modelBytes, modelBytes + freeBytes) ?? 0} label={`${text.models(formatBytes(modelBytes))}, ${path}`} />
            <p className="mt-1 flex gap-x-4 text-small text-quiet tabular-nums">
              <span>{text.models(formatBytes(modelBytes))}</span>
              <span>{text.free(formatBytes(freeBytes))}</span>
            </p>
          </>
        )}
      </div>
      {receives ? (
        <span className="text-small text-accent-text">{text.receives}</span>
      ) : (
        <Button aria-label={text.receiveNamed(path)} disabled={state === 'missing'} onClick={() => attempt(foldersStore.getState().receive(id))}>
          {text.receive}
        </Button>
      )}
      {id !== null && (
        <Button aria-label={text.removeNamed(path)} onClick={() => attempt(foldersStore.getState().remove(id))}>
          {text.remove}
        </Button>
      )}
    </li>
  );
}
