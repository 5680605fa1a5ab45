import { useEffect } from 'react';
import { ScreenHeader } from '../../../app/ScreenHeader.tsx';
import { strings } from '../../../app/strings.ts';
import { Button } from '../../../ui/Button.tsx';
import { Notice } from '../../../ui/Notice.tsx';
import { ScrollRegion } from '../../../ui/ScrollRegion.tsx';
import { UnfinishedReadings } from '../../readings/components/UnfinishedReadings.tsx';
import { memoriesStore, useMemories } from '../store.ts';
import { memoriesStrings as text } from '../strings.ts';
import { MemoryTable } from './MemoryTable.tsx';
import { SpaceSection } from './SpaceSection.tsx';

const load = () => void memoriesStore.getState().load();

export function MemoriesScreen() {
  const memories = useMemories((state) => state.memories);
  const usage = useMemories((state) => state.usage);
  const failure = useMemories((state) => state.failure);
  useEffect(load, []);
  return (
    <>
      <ScreenHeader>
        <h1 className="text-body font-semibold">{text.title}</h1>
      </ScreenHeader>
      <ScrollRegion label={text.title} className="flex-1">
        <div className="mx-auto max-w-[54rem] px-6 pt-6 pb-8">
          {failure && (
            <Notice tone="danger" className="mb-6" message={failure.message} remedy={failure.remedy} actions={<Button onClick={load}>{strings.common.tryAgain}</Button>} />
          )}
          <UnfinishedReadings />
          {memories && (
            <section aria-labelledby="memories-kept" className="mb-8">
              <h2 id="memories-kept" className="text-body font-semibold">
                {text.kept}
              </h2>
              <p className="mb-1.5 text-small text-quiet">{text.hint}</p>
              {memories.length === 0 ? <p className="border-y border-line py-3 text-quiet">{text.nothing}</p> : <MemoryTable memories={memories} />}
            </section>
          )}
          {usage && <SpaceSection usage={usage} />}
        </div>
      </ScrollRegion>
    </>
  );
}
