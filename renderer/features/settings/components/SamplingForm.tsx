import { type Sampling, defaultSampling } from '../../../../host/contract/entities.ts';
import { Button } from '../../../ui/Button.tsx';
import { samplingFields, seedField } from '../sampling.ts';
import { settingsStrings } from '../strings.ts';
import { NumberField } from './NumberField.tsx';
import { SettingRow } from './SettingRow.tsx';

const text = settingsStrings.sampling;

interface SamplingFormProps {
  value: Sampling;
  /** What was changed: several changes may follow one another before `value` shows the first. */
  onChange(change: Partial<Sampling>): void;
  compact?: boolean;
}

export function SamplingForm({ value, onChange, compact = false }: SamplingFormProps) {
  const isDefault = (Object.keys(defaultSampling) as (keyof Sampling)[]).every((name) => value[name] === defaultSampling[name]);
  return (
    <div className={compact ? 'divide-y divide-line border-y border-line' : 'divide-y divide-line'}>
      {samplingFields.map((field) => {
        const { label, hint } = text[field.name];
        const set = (next: number | null) => next !== null && onChange({ [field.name]: next });
        const muted = field.onlyRandom && value.temperature === 0;
        return (
          <SettingRow key={field.name} label={label} hint={hint} hintId={`sampling-${field.name}`}>
            <div className={muted ? 'flex items-center gap-2 opacity-75' : 'flex items-center gap-2'}>
              {field.sliderMost !== undefined && !compact && (
                <input
                  type="range"
                  aria-label={label}
                  aria-describedby={`sampling-${field.name}`}
                  min={field.least}
                  max={field.sliderMost}
                  step={field.step}
                  value={Math.min(value[field.name], field.sliderMost)}
                  onChange={(event) => set(Number(event.target.value))}
                  className="w-32"
                />
              )}
              <NumberField label={label} describedBy={`sampling-${field.name}`} field={field} step={field.step} value={value[field.name]} onCommit={set} />
            </div>
          </SettingRow>
        );
      })}
      <SettingRow label={text.seed.label} hint={text.seed.hint} hintId="sampling-seed">
        <NumberField
          label={text.seed.label}
          describedBy="sampling-seed"
          field={seedField}
          step={1}
          value={value.seed}
          placeholder={text.seed.random}
          onCommit={(seed) => onChange({ seed })}
        />
      </SettingRow>
      <div className="flex items-center justify-between gap-4 py-2.5">
        <p className="text-small text-quiet">{value.temperature === 0 && text.greedyHint}</p>
        <Button disabled={isDefault} onClick={() => onChange(defaultSampling)}>
          {text.reset}
        </Button>
      </div>
    </div>
  );
}
