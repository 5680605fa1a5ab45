/** In place of everything else while the data folder moves: nothing can be asked of a host that has closed its files. */
import type { MoveProgress } from '../../../../host/contract/dataFolder.ts';
import { attempt } from '../../../app/failures.ts';
import { formatBytes, fractionOf } from '../../../app/format.ts';
import { Button } from '../../../ui/Button.tsx';
import { ProgressBar } from '../../../ui/ProgressBar.tsx';
import { dataFolderStore } from '../store.ts';
import { dataFolderStrings as text } from '../strings.ts';

export function MovingScreen({ move: { path, phase, doneBytes, totalBytes } }: { move: MoveProgress }) {
  return (
    <main className="flex flex-1 items-center justify-center p-6" data-testid="moving">
      <div className="w-full max-w-[30rem]">
        <h1 className="text-title font-semibold">{text.moving}</h1>
        <p className="selectable mt-1 break-all text-quiet">{path}</p>
        <ProgressBar className="mt-4" label={text.moving} fraction={phase === 'copying' ? fractionOf(doneBytes, totalBytes) : null} />
        <p role="status" className="mt-1.5 flex justify-between gap-4 text-small text-quiet tabular-nums">
          <span>{text.phases[phase]}</span>
          {/* Every byte is written once and read again once. */}
          {phase === 'copying' && <span>{text.progress(formatBytes(doneBytes / 2), formatBytes(totalBytes / 2))}</span>}
        </p>
        <p className="mt-4 text-quiet">{text.movingHint}</p>
        <Button className="mt-4" disabled={phase === 'opening'} onClick={() => attempt(dataFolderStore.getState().cancel())}>
          {text.stop}
        </Button>
      </div>
    </main>
  );
}
