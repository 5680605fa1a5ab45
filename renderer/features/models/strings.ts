/** The words about models. */
import type { Download } from '../../../host/contract/entities.ts';
import { type Translated, localised } from '../../app/language.ts';
import { german } from './strings.de.ts';
import { japanese } from './strings.ja.ts';

const states: Record<Download['state'], string> = {
  starting: 'Starting',
  downloading: 'Downloading',
  waiting: 'Waiting',
  verifying: 'Verifying',
  paused: 'Paused',
  done: 'Done',
  failed: 'Failed',
  cancelled: 'Cancelled',
};

const english = {
  title: 'Models',
  installed: 'Installed',
  nothingInstalled: 'No model is installed yet. Download one below, or choose a GGUF file.',
  catalogue: 'To download',
  catalogueHint: 'Each file is checked against its SHA-256 before it can be used.',
  import: 'Choose a GGUF file',
  importing: (name: string) => `Adding ${name}`,
  uploading: (percent: number) => `${percent} % uploaded`,
  adding: {
    button: 'Add models',
    title: 'Add models of this machine',
    lead: 'A GGUF file, or a folder with some in it.',
    how: 'What becomes of the files',
    ways: { keep: 'Keep in the data folder', link: 'Use where they are' },
    hints: {
      keep: 'On the same drive by a link that takes no more room, else as a copy.',
      link: 'Nothing is copied and nothing deleted: they have to stay there. A folder is looked through again at each start.',
    },
    file: 'Choose a file…',
    folder: 'Choose a folder…',
    path: 'File or folder',
    pathHint: 'On the machine where Longleaf runs, as a whole path.',
    add: 'Add',
    upload: 'Upload a file…',
    uploadHint: 'Through the browser, which makes a copy.',
  },
  checking: 'Reading the file’s header and its checksum…',
  columns: { name: 'Model', size: 'Size', quantisation: 'Quantisation', context: 'Context', licence: 'Licence', tools: 'Tools' },
  parameters: (count: string, architecture: string) => `${count} parameters, ${architecture}`,
  contextTokens: (tokens: string) => `${tokens} tokens`,
  noLicence: 'not stated',
  isDefault: 'Default',
  makeDefault: 'Use by default',
  base: 'Base model: continues text, has no chat template.',
  missing: 'The file is not where it was.',
  options: (name: string) => `Options for ${name}`,
  verify: 'Verify the file',
  verifying: 'Computing the SHA-256 of the file…',
  matches: (sha256: string) => `The file is intact. SHA-256 ${sha256}`,
  remove: 'Remove',
  removeTitle: (name: string) => `Remove ${name}?`,
  removeLinkedText: 'It leaves the list; its file stays where it is. Chats stay; they will need another model.',
  inFolder: (folder: string) => `in ${folder}`,
  removeText: (size: string) => `Its file of ${size} is deleted from the data folder. Chats stay; they will need another model.`,
  download: 'Download',
  downloadNamed: (name: string) => `Download ${name}`,
  downloadAgain: 'Try again',
  cancel: 'Cancel',
  cancelNamed: (name: string) => `Cancel the download of ${name}`,
  installedAlready: 'Installed',
  licence: (name: string) => `Licence: ${name}`,
  state: (state: Download['state']) => states[state],
  progress: (done: string, total: string) => `${done} of ${total}`,
  rate: (rate: string) => `${rate}/s`,
  left: (wait: string) => `about ${wait} left`,
  from: (source: string) => `from ${source}`,
  cancelled: 'The download was cancelled.',
  offline: 'Longleaf is set to offline: switch that off in the settings to download.',
} as const;

export type ModelsStrings = Translated<typeof english>;
export const modelsStrings: ModelsStrings = localised(english, { de: german, ja: japanese });
