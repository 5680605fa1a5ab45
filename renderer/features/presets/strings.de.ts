/** Die Wörter der Vorlagen auf Deutsch. */
import type { PresetsStrings } from './strings.ts';

export const german: PresetsStrings = {
  title: 'Vorlagen',
  hint: 'Systemprompts unter einem Namen, auf Wunsch mit der Auswahl der Wörter. Ein Chat übernimmt sie in seinen eigenen Einstellungen.',
  none: 'Noch keine Vorlagen.',
  add: 'Neue Vorlage',
  edit: (name) => `${name} ändern`,
  remove: (name) => `${name} löschen`,
  removed: (name) => `„${name}“ wurde gelöscht.`,
  import: 'Importieren',
  export: 'Exportieren',
  imported: 'Die Vorlagen wurden importiert.',
  name: 'Name',
  systemPrompt: 'Systemprompt',
  withSampling: 'Mit der Auswahl der Wörter neuer Chats',
  withSamplingHint: 'Temperatur und so weiter, wie sie jetzt eingestellt sind. Aus: Die Auswahl eines Chats bleibt, wie sie ist.',
  save: 'Sichern',
  choose: 'Vorlage',
  chooseNone: 'Keine',
  saveAs: 'Als Vorlage sichern',
  nameOf: (title) => `Vorlage von ${title}`,
};
