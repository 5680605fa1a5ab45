/** Models whose chats begin with a sampling of their own. */
import type { Settings } from '../../../../host/contract/entities.ts';
import { Button } from '../../../ui/Button.tsx';
import { namesOf } from '../../models/modelNames.ts';
import { useModels } from '../../models/store.ts';
import { settingsStrings } from '../strings.ts';
import { SamplingForm } from './SamplingForm.tsx';
import { SettingSection } from './SettingRow.tsx';

const text = settingsStrings.modelSampling;

export function ModelSamplingSection({ settings: { modelSampling, defaultSampling }, change }: { settings: Settings; change(part: Partial<Settings>): void }) {
  const models = useModels((state) => state.models);
  if (models.length === 0) return null;
  const without = (id: string) => Object.fromEntries(Object.entries(modelSampling).filter(([other]) => other !== id));
  return (
    <SettingSection title={text.title} hint={text.hint}>
      {[...namesOf(models)].map(([id, name]) => {
        const own = modelSampling[id];
        return (
          <details key={id} className="py-2">
            <summary className="cursor-pointer rounded-sm">
              <span className="font-medium">{name}</span> <span className="text-small text-quiet">{own ? text.own : text.asNewChats}</span>
            </summary>
            <div className="mt-2 pl-4">
              <SamplingForm compact value={own ?? defaultSampling} onChange={(part) => change({ modelSampling: { ...modelSampling, [id]: { ...(own ?? defaultSampling), ...part } } })} />
              {own && (
                <Button className="mt-2" onClick={() => change({ modelSampling: without(id) })}>
                  {text.forget}
                </Button>
              )}
            </div>
          </details>
        );
      })}
    </SettingSection>
  );
}
