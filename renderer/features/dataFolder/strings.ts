/** The words about moving the data folder. */
import { type Translated, localised } from '../../app/language.ts';
import { german } from './strings.de.ts';
import { japanese } from './strings.ja.ts';

const english = {
  move: 'Move…',
  title: 'Move the data folder',
  lead: 'Models, documents, memories and chats go to another folder or drive. Everything is copied and read again before the old folder is deleted.',
  path: 'Folder',
  pathHint: 'An empty folder, or one that does not exist yet, as a whole path. Beside other things a folder “Longleaf” is made.',
  check: 'Check',
  choose: 'Choose a folder…',
  from: 'From',
  to: 'To',
  takes: 'Takes',
  free: (bytes: string) => `${bytes} are free there`,
  sameDrive: 'The same drive: nothing has to be copied.',
  jobs: (count: number) => (count === 1 ? 'One job is under way. It stops, and goes on when the folder has moved.' : `${count} jobs are under way. They stop, and go on when the folder has moved.`),
  begin: 'Move',
  stopAndBegin: 'Stop and move',
  moving: 'Moving the data folder',
  movingHint: 'Longleaf opens again by itself when it is done. Until then everything stays where it was.',
  phases: { stopping: 'Stopping what is under way…', copying: 'Copying and checking…', opening: 'Opening…' },
  progress: (done: string, total: string) => `${done} of ${total}`,
  stop: 'Stop and leave everything where it was',
  moved: (path: string) => `The data folder is now ${path}.`,
  unfinished: (path: string) => `Moving the data folder to ${path} was interrupted. Everything is still here.`,
  resume: 'Go on',
  undo: 'Delete the copy',
} as const;

export type DataFolderStrings = Translated<typeof english>;
export const dataFolderStrings: DataFolderStrings = localised(english, { de: german, ja: japanese });
