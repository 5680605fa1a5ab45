/** Takes a preset over into a chat, or makes one of what the chat has. */
import type { Sampling } from '../../../../host/contract/entities.ts';
import { attempt } from '../../../app/failures.ts';
import { Button } from '../../../ui/Button.tsx';
import { Select } from '../../../ui/Select.tsx';
import { presetsStore, usePresets } from '../store.ts';
import { presetsStrings as text } from '../strings.ts';

interface PresetPickerProps {
  title: string;
  systemPrompt: string;
  sampling: Sampling;
  onChoose(chosen: { systemPrompt: string; sampling?: Sampling }): void;
}

export function PresetPicker({ title, systemPrompt, sampling, onChoose }: PresetPickerProps) {
  const presets = usePresets((state) => state.presets);
  const current = presets.find((preset) => preset.systemPrompt === systemPrompt && systemPrompt !== '');
  const choose = (id: string) => {
    const preset = presets.find((candidate) => candidate.id === id);
    if (preset) onChoose({ systemPrompt: preset.systemPrompt, ...(preset.sampling && { sampling: preset.sampling }) });
    else onChoose({ systemPrompt: '' });
  };
  return (
    <div className="flex items-end gap-2">
      <label className="flex min-w-0 flex-1 flex-col gap-1">
        <span className="font-medium">{text.choose}</span>
        <Select label={text.choose} value={current?.id ?? ''} onChange={(event) => choose(event.target.value)}>
          <option value="">{text.chooseNone}</option>
          {presets.map(({ id, name }) => (
            <option key={id} value={id}>
              {name}
            </option>
          ))}
        </Select>
      </label>
      <Button disabled={systemPrompt.trim() === '' || current !== undefined} onClick={() => attempt(presetsStore.getState().save({ name: text.nameOf(title).slice(0, 100), systemPrompt, sampling }))}>
        {text.saveAs}
      </Button>
    </div>
  );
}
