import { useId, useState } from 'react';
import type { Preset } from '../../../../host/contract/chatEntities.ts';
import { attempt } from '../../../app/failures.ts';
import { strings } from '../../../app/strings.ts';
import { Button } from '../../../ui/Button.tsx';
import { Dialog } from '../../../ui/Dialog.tsx';
import { Switch } from '../../../ui/Switch.tsx';
import { useSettings } from '../../settings/store.ts';
import { presetsStore } from '../store.ts';
import { presetsStrings as text } from '../strings.ts';

/** `preset` null: a new one. */
export function PresetDialog({ preset, onClose }: { preset: Preset | null; onClose(): void }) {
  const defaultSampling = useSettings((state) => state.settings.defaultSampling);
  const [name, setName] = useState(preset?.name ?? '');
  const [systemPrompt, setSystemPrompt] = useState(preset?.systemPrompt ?? '');
  const [withSampling, setWithSampling] = useState(preset?.sampling != null);
  const hint = useId();
  const save = () => {
    const sampling = withSampling ? (preset?.sampling ?? defaultSampling) : null;
    attempt(presetsStore.getState().save({ ...(preset && { id: preset.id }), name: name.trim(), systemPrompt, sampling }));
    onClose();
  };
  return (
    <Dialog open onOpenChange={(open) => !open && onClose()} title={preset ? text.edit(preset.name) : text.add}>
      <form
        className="flex flex-col gap-3"
        onSubmit={(event) => {
          event.preventDefault();
          if (name.trim() !== '') save();
        }}
      >
        <label className="flex flex-col gap-1">
          <span className="font-medium">{text.name}</span>
          <input value={name} maxLength={100} onChange={(event) => setName(event.target.value)} className="field" />
        </label>
        <label className="flex flex-col gap-1">
          <span className="font-medium">{text.systemPrompt}</span>
          <textarea value={systemPrompt} rows={6} onChange={(event) => setSystemPrompt(event.target.value)} className="field" />
        </label>
        <div className="flex items-center justify-between gap-4">
          <div>
            <div className="font-medium">{text.withSampling}</div>
            <p id={hint} className="text-small text-quiet">
              {text.withSamplingHint}
            </p>
          </div>
          <Switch label={text.withSampling} describedBy={hint} checked={withSampling} onCheckedChange={setWithSampling} />
        </div>
        <div className="flex justify-end gap-2">
          <Button onClick={onClose}>{strings.common.cancel}</Button>
          <Button type="submit" variant="primary" disabled={name.trim() === ''}>
            {text.save}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
