/** Bringing documents into the open chat, from wherever they come. */
import { type PickedFile, droppedFiles, isModelFile, pickFiles } from '../../app/files.ts';
import { viewStore } from '../../app/view.ts';
import { libraryStore } from '../library/store.ts';
import { modelsStore } from '../models/store.ts';
import { chatStore } from './store.ts';
import { chatStrings } from './strings.ts';

/** They come in side by side, and join the chat in their order. */
export async function attachFiles(files: readonly PickedFile[]): Promise<void> {
  for (const arriving of files.map((file) => libraryStore.getState().add(file))) {
    const record = await arriving;
    if (record) await chatStore.getState().attachDocument(record.id);
  }
  viewStore.getState().focusComposer();
}

export async function attachWithDialog(kind: 'document' | 'folder' = 'document'): Promise<void> {
  const files = await pickFiles(kind);
  if (files.length > 0) await attachFiles(files);
}

export async function attachText(text: string): Promise<void> {
  const record = await libraryStore.getState().addText(chatStrings.paste.nameOf(text), text);
  if (record) await chatStore.getState().attachDocument(record.id);
}

/** What was dropped or pasted: documents join the chat; a model file goes to the models. */
export async function receiveFiles(brought: DataTransfer): Promise<void> {
  const files = await droppedFiles(brought);
  const model = files.find((file) => isModelFile(file.name));
  viewStore.getState().show(model ? 'models' : 'chat');
  await (model ? modelsStore.getState().importModel(model) : attachFiles(files));
}
