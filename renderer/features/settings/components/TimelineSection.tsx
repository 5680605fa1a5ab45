import { useState } from 'react';
import type { StepTimeline } from '../../../../host/contract/machine.ts';
import { host } from '../../../app/connection/session.ts';
import { attempt } from '../../../app/failures.ts';
import { Button } from '../../../ui/Button.tsx';
import { Notice } from '../../../ui/Notice.tsx';
import { Select } from '../../../ui/Select.tsx';
import { useModels } from '../../models/store.ts';
import { orderOfKernels } from '../kernelGroups.ts';
import { useSettings } from '../store.ts';
import { settingsStrings } from '../strings.ts';
import { KernelStrip } from './KernelStrip.tsx';
import { SettingRow, SettingSection } from './SettingRow.tsx';

const text = settingsStrings.timeline;

/** Which kernels a model's time goes to on this machine, measured when asked. */
export function TimelineSection() {
  const models = useModels((state) => state.models);
  const loadedModelId = useSettings((state) => state.worker.loadedModelId);
  const [chosenId, setChosenId] = useState<string | null>(null);
  const [measuring, setMeasuring] = useState(false);
  const [steps, setSteps] = useState<StepTimeline[] | 'none' | null>(null);
  const ready = models.filter(({ state }) => state === 'ready');
  const modelId = [chosenId, loadedModelId, ready[0]?.id].find((id) => ready.some((model) => model.id === id)) ?? null;

  const measure = async (id: string): Promise<void> => {
    setMeasuring(true);
    try {
      const result = await host.call('models.timeline', { modelId: id });
      setSteps(result.steps ?? 'none');
    } finally {
      setMeasuring(false);
    }
  };

  return (
    <SettingSection title={text.title} hint={text.hint}>
      {modelId === null ? (
        <p className="py-2.5 text-quiet">{text.noModel}</p>
      ) : (
        <SettingRow label={text.model}>
          <span className="flex items-center gap-2">
            <Select
              label={text.model}
              value={modelId}
              onChange={(event) => {
                setChosenId(event.target.value);
                setSteps(null);
              }}
            >
              {ready.map(({ id, name }) => (
                <option key={id} value={id}>
                  {name}
                </option>
              ))}
            </Select>
            <Button disabled={measuring} onClick={() => attempt(measure(modelId))}>
              {measuring ? text.measuring : text.measure}
            </Button>
          </span>
        </SettingRow>
      )}
      {steps === 'none' && <Notice tone="info" message={text.none} className="my-2.5" />}
      {Array.isArray(steps) && steps.map((step) => <KernelStrip key={step.phase} step={step} order={orderOfKernels(steps)} />)}
    </SettingSection>
  );
}
