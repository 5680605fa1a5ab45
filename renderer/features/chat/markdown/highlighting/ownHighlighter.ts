/** The one highlighter of this window. */
import { startOwnWorker } from '../../../../app/ownWorker.ts';
import { Highlighter } from './highlighter.ts';
// oxlint-disable-next-line import/default -- Vite gives the address of the file
import workerUrl from './highlightWorker.ts?worker&url';

export const highlighter = new Highlighter(() => startOwnWorker(workerUrl));
