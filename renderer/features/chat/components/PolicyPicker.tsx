/** How a chat reaches what lies beyond the GPU: the policy, what it does and costs, and its budget. */
import { ChevronDown } from 'lucide-react';
import { useId } from 'react';
import { canRoll, defaultPolicySetting, hasBudget, mostTurnSteps, policyEstimates, policyName, type PolicySetting, usualTurnSteps } from '../../../../host/contract/policy.ts';
import { Menu, MenuChoice, MenuChoices } from '../../../ui/Menu.tsx';
import { Segmented } from '../../../ui/Segmented.tsx';
import { NumberField } from '../../settings/components/NumberField.tsx';
import { SettingRow } from '../../settings/components/SettingRow.tsx';
import { policyPickerStrings as text, policyStrings } from '../policyStrings.ts';

interface PolicyPickerProps {
  /** null: the default. */
  value: PolicySetting | null;
  onChange(value: PolicySetting | null): void;
}

const defaultChoice = 'default';
const names = Object.keys(policyStrings).map((name) => policyName.parse(name));

export function PolicyPicker({ value, onChange }: PolicyPickerProps) {
  const id = useId();
  const shown = policyStrings[(value ?? defaultPolicySetting).name];
  const choose = (choice: string) => {
    const name = policyName.safeParse(choice);
    onChange(name.success ? possible({ ...defaultPolicySetting, ...value, name: name.data, estimate: policyEstimates[name.data] }) : null);
  };
  return (
    <section aria-label={text.label} className="flex flex-col gap-1">
      <h2 id={id} className="font-medium">
        {text.label}
      </h2>
      <Menu
        align="start"
        className="w-(--radix-dropdown-menu-trigger-width) min-w-80"
        trigger={
          <button type="button" aria-label={`${text.choose}: ${value ? shown.name : text.defaultName}`} aria-describedby={`${id}-line`} className="field flex h-7 w-full items-center justify-between py-0 text-left">
            {value ? shown.name : text.defaultName}
            <ChevronDown size={14} className="text-quiet" aria-hidden />
          </button>
        }
      >
        <MenuChoices value={value?.name ?? defaultChoice} onValueChange={choose}>
          <MenuChoice value={defaultChoice}>{text.defaultName}</MenuChoice>
          {names.map((name) => (
            <MenuChoice key={name} value={name}>
              <span>
                <span className="block font-medium">{policyStrings[name].name}</span>
                <span className="block text-small text-quiet">{policyStrings[name].line}</span>
              </span>
            </MenuChoice>
          ))}
        </MenuChoices>
      </Menu>
      <p id={`${id}-line`} className="text-small">
        {shown.line}
      </p>
      {value && hasBudget(value.name) && (
        <div className="my-1 divide-y divide-line border-y border-line">
          <Budget value={value} onChange={onChange} />
          <Misses value={value} onChange={onChange} />
        </div>
      )}
      <p className="text-small text-quiet">{text.hint}</p>
    </section>
  );
}

const missOptions = (['strict', 'lagged', 'rolling'] as const).map((value) => ({ value, label: text.missNames[value] }));
const turnField = { least: 1, most: mostTurnSteps, whole: true };
const units = (['share', 'tokens'] as const).map((value) => ({ value, label: text.units[value] }));
const percentField = { least: 0.1, most: 100, whole: false };
const tokensField = { least: 1, most: 1_000_000, whole: true };
/** What a change of the unit begins with. */
const usualTokens = 256;

/** What the policy can do of a setting that was made for another one. */
function possible(value: PolicySetting): PolicySetting {
  return value.misses === 'rolling' && !canRoll(value.name) ? { ...value, misses: 'lagged' } : value;
}

function Misses({ value, onChange }: { value: PolicySetting; onChange(value: PolicySetting): void }) {
  const hint = useId();
  const misses = value.misses ?? 'strict';
  return (
    <>
      <SettingRow label={text.misses} hint={text.missesHints[misses]}>
        <Segmented label={text.misses} value={misses} options={missOptions.filter((option) => option.value !== 'rolling' || canRoll(value.name))} onChange={(chosen) => onChange({ ...value, misses: chosen })} />
      </SettingRow>
      {misses === 'rolling' && (
        <SettingRow label={text.turn} hint={text.turnHint} hintId={hint}>
          <NumberField label={text.turn} describedBy={hint} field={turnField} step={1} value={value.turnSteps ?? usualTurnSteps} onCommit={(turnSteps) => turnSteps !== null && onChange({ ...value, turnSteps })} />
        </SettingRow>
      )}
    </>
  );
}

function Budget({ value, onChange }: { value: PolicySetting; onChange(value: PolicySetting): void }) {
  const hint = useId();
  const { budget } = value;
  const inTokens = 'tokens' in budget;
  const set = (changed: PolicySetting['budget']) => onChange({ ...value, budget: changed });
  return (
    <SettingRow label={text.budget} hint={text.budgetHint} hintId={hint}>
      <span className="flex items-center gap-2">
        {inTokens ? (
          <NumberField label={text.budget} describedBy={hint} field={tokensField} step={64} value={budget.tokens} onCommit={(tokens) => tokens !== null && set({ tokens })} />
        ) : (
          <NumberField
            label={text.budget}
            describedBy={hint}
            field={percentField}
            step={0.5}
            // 0.02 × 100 is not 2 in binary.
            value={Number((budget.share * 100).toPrecision(6))}
            onCommit={(percent) => percent !== null && set({ share: percent / 100 })}
          />
        )}
        <Segmented
          label={text.budget}
          value={inTokens ? 'tokens' : 'share'}
          options={units}
          onChange={(unit) => set(unit === 'tokens' ? { tokens: usualTokens } : defaultPolicySetting.budget)}
        />
      </span>
    </SettingRow>
  );
}
