/** The words of presets. */
import { type Translated, localised } from '../../app/language.ts';
import { german } from './strings.de.ts';
import { japanese } from './strings.ja.ts';

const english = {
  title: 'Presets',
  hint: 'System prompts under a name, with a sampling if you like. A chat takes one over in its own settings.',
  none: 'No presets yet.',
  add: 'New preset',
  edit: (name: string) => `Edit ${name}`,
  remove: (name: string) => `Delete ${name}`,
  removed: (name: string) => `“${name}” was deleted.`,
  import: 'Import',
  export: 'Export',
  imported: 'The presets were imported.',
  name: 'Name',
  systemPrompt: 'System prompt',
  withSampling: 'With the sampling of new chats',
  withSamplingHint: 'Temperature and the like as they are set now. Off: leaves a chat’s sampling as it is.',
  save: 'Save',
  choose: 'Preset',
  chooseNone: 'None',
  saveAs: 'Save as preset',
  nameOf: (title: string) => `Preset of ${title}`,
} as const;

export type PresetsStrings = Translated<typeof english>;
export const presetsStrings: PresetsStrings = localised(english, { de: german, ja: japanese });
