import { useEffect, useState } from 'react';
import { attempt } from '../../../app/failures.ts';
import { ScreenHeader } from '../../../app/ScreenHeader.tsx';
import { ScrollRegion } from '../../../ui/ScrollRegion.tsx';
import { Segmented } from '../../../ui/Segmented.tsx';
import { hubStrings } from '../hubStrings.ts';
import { modelsStore, useModels } from '../store.ts';
import { modelsStrings as text } from '../strings.ts';
import { AddModelsButton, AddModelsDialog } from './AddModelsDialog.tsx';
import { CatalogueItem } from './CatalogueItem.tsx';
import { DownloadsSection } from './DownloadsSection.tsx';
import { FoldersSection } from './FoldersSection.tsx';
import { HubTab } from './HubTab.tsx';
import { ImportOutcome, ImportProgress } from './ImportModel.tsx';
import { ModelRow } from './ModelRow.tsx';

type Tab = 'here' | 'hub';
const tabs: { value: Tab; label: string }[] = [
  { value: 'here', label: hubStrings.tabs.here },
  { value: 'hub', label: hubStrings.tabs.hub },
];

export function ModelsScreen() {
  const [tab, setTab] = useState<Tab>('here');
  /** What becomes of the files that are being added; null: none are. */
  const [adding, setAdding] = useState<'keep' | 'link' | null>(null);
  return (
    <>
      <ScreenHeader tools={<AddModelsButton onClick={() => setAdding('keep')} />}>
        <h1 className="mr-4 text-body font-semibold">{text.title}</h1>
        <Segmented<Tab> label={hubStrings.tabs.label} value={tab} options={tabs} onChange={setTab} />
      </ScreenHeader>
      <ScrollRegion label={text.title} className="flex-1">
        <div className="mx-auto max-w-[54rem] px-6 pt-6 pb-8">
          {adding === null && <ImportProgress />}
          <ImportOutcome />
          {tab === 'here' ? <ModelsHere onAddFolder={() => setAdding('link')} /> : <HubTab />}
        </div>
      </ScrollRegion>
      {adding !== null && <AddModelsDialog first={adding} onClose={() => setAdding(null)} />}
    </>
  );
}

function ModelsHere({ onAddFolder }: { onAddFolder(): void }) {
  const models = useModels((state) => state.models);
  const catalogue = useModels((state) => state.catalogue);
  useEffect(() => {
    attempt(modelsStore.getState().refresh());
    void modelsStore.getState().loadRecommended();
  }, []);
  return (
    <>
      <DownloadsSection />
      <section aria-labelledby="models-installed" className="mb-8">
        <h2 id="models-installed" className="mb-1.5 text-body font-semibold">
          {text.installed}
        </h2>
        {models.length === 0 ? (
          <p className="border-y border-line py-3 text-quiet">{text.nothingInstalled}</p>
        ) : (
          <table className="w-full border-b border-line tabular-nums">
            <thead>
              <tr className="text-small text-faint [&>th]:py-1 [&>th]:pr-4 [&>th]:text-left [&>th]:font-normal">
                <th scope="col">{text.columns.name}</th>
                <th scope="col">{text.columns.size}</th>
                <th scope="col" className="max-md:hidden">
                  {text.columns.quantisation}
                </th>
                <th scope="col">{text.columns.context}</th>
                <th scope="col" className="max-md:hidden">
                  {text.columns.licence}
                </th>
                <th scope="col">
                  <span className="sr-only">{text.columns.tools}</span>
                </th>
              </tr>
            </thead>
            <tbody>
              {models.map((model) => (
                <ModelRow key={model.id} model={model} />
              ))}
            </tbody>
          </table>
        )}
      </section>
      <section aria-labelledby="models-catalogue">
        <h2 id="models-catalogue" className="text-body font-semibold">
          {text.catalogue}
        </h2>
        <p className="mb-1.5 text-small text-quiet">{text.catalogueHint}</p>
        <div className="divide-y divide-line border-y border-line">
          {catalogue.map((entry) => (
            <CatalogueItem key={entry.id} entry={entry} />
          ))}
        </div>
      </section>
      <FoldersSection onAdd={onAddFolder} />
    </>
  );
}
