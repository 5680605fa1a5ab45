/** What this machine can do, and a model to begin with. */
import { CircleCheck } from 'lucide-react';
import { Wordmark } from '../../../app/Wordmark.tsx';
import { useView, viewStore } from '../../../app/view.ts';
import { Button } from '../../../ui/Button.tsx';
import { useFocusWhenShown } from '../../../ui/useFocusWhenShown.ts';
import { CatalogueItem } from '../../models/components/CatalogueItem.tsx';
import { ImportButton, ImportProgress } from '../../models/components/ImportModel.tsx';
import { useModels } from '../../models/store.ts';
import { firstRunStrings as text } from '../strings.ts';
import { MachineSummary } from './MachineSummary.tsx';

export function FirstRunScreen() {
  const starters = useModels((state) => state.catalogue).filter(({ starter }) => starter);
  const ready = useModels((state) => state.models.find((model) => model.state === 'ready'));
  const leave = useView((state) => state.leaveFirstRun);
  const start = () => {
    leave();
    viewStore.getState().focusComposer();
  };
  return (
    // Focusable, so that the keyboard can scroll it.
    // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex
    <main tabIndex={0} aria-label={text.title} data-testid="first-run" className="min-h-0 flex-1 overflow-y-auto bg-canvas outline-none">
      <div className="mx-auto flex min-h-full max-w-[40rem] flex-col justify-center px-6 py-6">
        <header className="mb-5">
          <Wordmark large />
          <h1 className="mt-3 font-serif text-[1.625rem] leading-9 tracking-tight">{text.title}</h1>
          <p className="mt-1 text-body text-quiet">{text.lead}</p>
        </header>
        <div className="rounded-lg border border-line bg-surface">
          <MachineSummary />
          <section aria-labelledby="first-run-model" className="px-5 pt-4 pb-2">
            <h2 id="first-run-model" className="text-body font-semibold">
              {text.model.title}
            </h2>
            <p className="text-quiet">{text.model.text}</p>
            <div className="mt-1 divide-y divide-line">
              {starters.map((entry) => (
                <CatalogueItem key={entry.id} entry={entry} prominent={!ready} />
              ))}
            </div>
            <ImportProgress />
            {!ready && (
              <div className="flex items-center justify-between gap-4 border-t border-line py-2.5">
                <span className="text-quiet">{text.model.byHand}</span>
                <ImportButton />
              </div>
            )}
          </section>
        </div>
        <footer className="mt-5 flex min-h-9 items-center justify-end gap-3">
          {ready ? (
            <>
              <span role="status" className="flex items-center gap-1.5 text-body text-accent-text">
                <CircleCheck size={16} aria-hidden />
                {text.ready(ready.name)}
              </span>
              <StartButton onStart={start} />
            </>
          ) : (
            <Button variant="ghost" className="text-quiet" onClick={leave}>
              {text.skip}
            </Button>
          )}
        </footer>
      </div>
    </main>
  );
}

function StartButton({ onStart }: { onStart(): void }) {
  const button = useFocusWhenShown<HTMLButtonElement>();
  return (
    <Button ref={button} variant="primary" size="large" onClick={onStart}>
      {text.start}
    </Button>
  );
}
