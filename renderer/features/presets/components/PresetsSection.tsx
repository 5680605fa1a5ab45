/** All presets: made, changed, deleted with a way back, carried to another machine. */
import { Download, Pencil, Plus, Trash2, Upload } from 'lucide-react';
import { useState } from 'react';
import { toast } from 'sonner';
import type { Preset } from '../../../../host/contract/chatEntities.ts';
import { host } from '../../../app/connection/session.ts';
import { attempt } from '../../../app/failures.ts';
import { pickFiles, saveText, uploadFile } from '../../../app/files.ts';
import { strings } from '../../../app/strings.ts';
import { Button } from '../../../ui/Button.tsx';
import { IconButton } from '../../../ui/IconButton.tsx';
import { SettingSection } from '../../settings/components/SettingRow.tsx';
import { presetsStore, usePresets } from '../store.ts';
import { presetsStrings as text } from '../strings.ts';
import { PresetDialog } from './PresetDialog.tsx';

export function PresetsSection() {
  const presets = usePresets((state) => state.presets);
  const [editing, setEditing] = useState<Preset | 'new' | null>(null);
  return (
    <SettingSection
      title={text.title}
      hint={text.hint}
      tools={
        <span className="flex gap-2">
          <Button onClick={() => attempt(importPresets())}>
            <Upload size={13} aria-hidden />
            {text.import}
          </Button>
          <Button disabled={presets.length === 0} onClick={() => attempt(exportPresets())}>
            <Download size={13} aria-hidden />
            {text.export}
          </Button>
          <Button onClick={() => setEditing('new')}>
            <Plus size={13} aria-hidden />
            {text.add}
          </Button>
        </span>
      }
    >
      {presets.length === 0 && <p className="py-2.5 text-small text-quiet">{text.none}</p>}
      {presets.map((preset) => (
        <div key={preset.id} className="flex items-center gap-2 py-2" data-testid="preset">
          <div className="min-w-0 flex-1">
            <div className="truncate font-medium">{preset.name}</div>
            <p className="truncate text-small text-quiet">{preset.systemPrompt}</p>
          </div>
          <IconButton icon={Pencil} iconSize={14} label={text.edit(preset.name)} onClick={() => setEditing(preset)} />
          <IconButton icon={Trash2} iconSize={14} label={text.remove(preset.name)} onClick={() => attempt(removeWithUndo(preset))} />
        </div>
      ))}
      {editing && <PresetDialog preset={editing === 'new' ? null : editing} onClose={() => setEditing(null)} />}
    </SettingSection>
  );
}

async function removeWithUndo(preset: Preset): Promise<void> {
  await presetsStore.getState().remove(preset.id);
  toast(text.removed(preset.name), { action: { label: strings.common.undo, onClick: () => attempt(presetsStore.getState().save(preset)) } });
}

async function exportPresets(): Promise<void> {
  const { fileName, text: content } = await host.call('presets.export', {});
  saveText(fileName, content, 'application/json');
}

async function importPresets(): Promise<void> {
  const [file] = await pickFiles('json');
  if (!file) return;
  await host.call('presets.import', { fileId: await uploadFile(file, () => undefined) });
  toast(text.imported);
}
