/** Bringing documents into the open chat, from wherever they come. */
import { type PickedFile, droppedFiles, isModelFile, pickFiles } from '../../app/files.ts';
import { viewStore } from '../../app/view.ts';
import { libraryStore } from '../library/store.ts';
import { modelsStore } from '../models/store.ts';
import { chatStore } from './store.ts';
import { chatStrings } from './strings.ts';

/** They come in side by side. */
export async function attachFiles(files: readonly PickedFile[]): Promise<void> {
  const isOpen = await chatStore.getState().bringDocuments(files.map((file) => libraryStore.getState().add(file)));
  // A long book takes a while: who looks at something else by then is left there.
  const view = viewStore.getState();
  if (isOpen && view.screen === 'chat') view.focusComposer();
}

export async function attachWithDialog(kind: 'document' | 'folder' = 'document'): Promise<void> {
  const files = await pickFiles(kind);
  if (files.length > 0) await attachFiles(files);
}

export async function attachText(text: string): Promise<void> {
  await chatStore.getState().bringDocuments([libraryStore.getState().addText(chatStrings.paste.nameOf(text), text)]);
}

/** What was dropped or pasted: documents join the chat; a model file goes to the models. */
export async function receiveFiles(brought: DataTransfer): Promise<void> {
  const files = await droppedFiles(brought);
  const model = files.find((file) => isModelFile(file.name));
  viewStore.getState().show(model ? 'models' : 'chat');
  await (model ? modelsStore.getState().importModel(model) : attachFiles(files));
}
