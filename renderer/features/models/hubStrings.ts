/** The words about models at the hub. */
import type { TokenStatus, Verdict } from '../../../host/contract/hub.ts';
import { type Translated, localised } from '../../app/language.ts';
import { germanFolders, germanHub } from './hubStrings.de.ts';
import { japaneseFolders, japaneseHub } from './hubStrings.ja.ts';

const levels: Record<Verdict['level'], string> = { fits: 'Fits', offloads: 'Runs, beyond the GPU', 'too-large': 'Too large', unsupported: 'Cannot run' };
const kept: Record<NonNullable<TokenStatus['kept']>, string> = {
  system: 'A token is kept by the operating system.',
  file: 'A token is kept in a file of the data folder that only you can read: this system offers no key store to Longleaf.',
  environment: 'The token of the variable HF_TOKEN is used.',
};

const englishHub = {
  tabs: { label: 'Which models', here: 'On this machine', hub: 'Find at the hub' },
  search: 'Search',
  placeholder: 'Words, owner/name, or an address at the hub',
  hint: 'A search asks the hub and is listed in the settings with every other request.',
  start: 'Search for a model, or paste the address of its page. Every file is judged for this machine before anything is downloaded.',
  nothing: 'Nothing was found with these filters.',
  searching: 'Asking the hub…',
  more: 'Show more',
  filters: {
    licence: 'Licence',
    anyLicence: 'Any licence',
    family: 'Family',
    anyFamily: 'Any family',
    size: 'Size',
    anySize: 'Any size',
    upTo: (parameters: string) => `Up to ${parameters} parameters`,
    context: 'Context',
    anyContext: 'Any context',
    atLeast: (tokens: string) => `At least ${tokens} tokens`,
    runnable: 'Only what runs here',
  },
  window: 'Judge for a context of',
  tokens: (tokens: string) => `${tokens} tokens`,
  parameters: (count: string) => `${count} parameters`,
  downloads: (count: string) => `${count} downloads`,
  gated: 'Terms to accept',
  unknownFamily: (architecture: string) => `${architecture}: Longleaf does not know this architecture`,
  showFiles: (name: string) => `Files of ${name}`,
  page: 'Page at the hub',
  noFiles: 'There are no GGUF files in it.',
  loadingFiles: 'Looking at its files…',
  judging: 'Reading its header…',
  level: (level: Verdict['level']) => levels[level],
  columns: { file: 'File', size: 'Size', verdict: 'On this machine', download: 'Download' },
  parts: (count: number) => `in ${count} parts`,
  figures: (file: string) => `What ${file} takes`,
  weights: 'Weights',
  kvGpu: 'Keys and values, on the GPU',
  kvAdapter: 'Keys and values',
  kvRam: 'Keys and values, in memory',
  kvDisk: 'Keys and values, on disk',
  working: 'Working memory',
  gpu: 'GPU',
  ram: 'Memory',
  disk: 'Disk',
  ofThese: (needed: string, available: string | null) => (available === null ? needed : `${needed} of ${available}`),
  header: (bytes: string) => `${bytes} of the file were read to know this.`,
  shorter: (tokens: string) => `Judged for ${tokens} tokens, its longest context.`,
  download: 'Download',
  downloadNamed: (file: string, name: string) => `Download ${file} of ${name}`,
  here: 'On this machine',
  token: {
    title: 'Access token',
    hint: 'For repositories whose terms you have accepted, and for private ones. It goes to the hub and nowhere else.',
    field: 'Access token of your account at the hub',
    save: 'Keep it',
    forget: 'Forget it',
    none: 'None.',
    kept: (where: NonNullable<TokenStatus['kept']>) => kept[where],
  },
  pausedNamed: (name: string) => `Pause the download of ${name}`,
  resumeNamed: (name: string) => `Go on with the download of ${name}`,
  pause: 'Pause',
  resume: 'Go on',
  discard: 'Discard',
  discardNamed: (name: string) => `Discard what was downloaded of ${name}`,
  underWay: 'Downloads',
  waiting: (reason: string) => `Waiting: ${reason}`,
  recommended: 'Recommended here',
} as const;

export type HubStrings = Translated<typeof englishHub>;
export const hubStrings: HubStrings = localised(englishHub, { de: germanHub, ja: japaneseHub });

const englishFolders = {
  title: 'Folders',
  hint: 'Models in other folders and on other drives are used where they are.',
  own: 'Longleaf’s data folder',
  models: (bytes: string) => `${bytes} of models`,
  free: (bytes: string) => `${bytes} free`,
  missing: 'Not there now: is the drive connected?',
  receives: 'Downloads go here',
  receive: 'Send downloads here',
  receiveNamed: (path: string) => `Send downloads to ${path}`,
  add: 'Add a folder',
  remove: 'Remove',
  removeNamed: (path: string) => `Remove ${path} from the list`,
  added: (count: number, failed: number) => `${count} ${count === 1 ? 'model' : 'models'} found${failed > 0 ? `; ${failed} ${failed === 1 ? 'file' : 'files'} cannot be used` : ''}.`,
} as const;

export type FolderStrings = Translated<typeof englishFolders>;
export const folderStrings: FolderStrings = localised(englishFolders, { de: germanFolders, ja: japaneseFolders });
