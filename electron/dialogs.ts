/** Native dialogs: choosing files, and the few things that have to be said outside the window. */
import { type BrowserWindow, dialog, type FileFilter, type OpenDialogOptions } from 'electron';
import type { Failure } from '../host/contract/entities.ts';

export type PickKind = 'document' | 'folder' | 'model' | 'json';

const choices: Record<PickKind, { title: string; filters: FileFilter[]; properties: OpenDialogOptions['properties'] }> = {
  document: {
    title: 'Attach a document',
    filters: [
      { name: 'Documents', extensions: ['pdf', 'epub', 'docx', 'xlsx', 'pptx', 'html', 'htm', 'md', 'markdown', 'txt', 'csv', 'tsv'] },
      { name: 'All files', extensions: ['*'] },
    ],
    properties: ['openFile', 'multiSelections'],
  },
  folder: { title: 'Choose a folder', filters: [], properties: ['openDirectory', 'createDirectory'] },
  model: {
    title: 'Choose a model file',
    filters: [
      { name: 'GGUF models', extensions: ['gguf'] },
      { name: 'All files', extensions: ['*'] },
    ],
    properties: ['openFile'],
  },
  json: {
    title: 'Choose an export',
    filters: [{ name: 'JSON', extensions: ['json'] }],
    properties: ['openFile'],
  },
};

/** The paths that the person chose; empty when they cancelled. */
export async function choosePaths(window: BrowserWindow, kind: PickKind): Promise<string[]> {
  const { title, filters, properties } = choices[kind];
  const { canceled, filePaths } = await dialog.showOpenDialog(window, {
    title,
    filters,
    properties,
  });
  return canceled ? [] : filePaths;
}

/** For what ends the app: waits until it has been read. */
export function showFatalFailure(failure: Failure): void {
  dialog.showErrorBox('Longleaf cannot start', `${failure.message}\n\n${failure.remedy}`);
}

/** The database is damaged: its newest backup can take its place, and the damaged one is kept. */
export async function askWhetherToRestore(failure: Failure): Promise<boolean> {
  const { response } = await dialog.showMessageBox({
    type: 'error',
    title: 'Longleaf',
    message: 'The database with your chats is damaged.',
    detail: `${failure.message}\n\nRestoring puts the newest backup in its place: what was written since is missing then. The damaged database is kept beside it, and documents, memories and models stay as they are.`,
    buttons: ['Restore the newest backup', 'Quit'],
    defaultId: 0,
    cancelId: 1,
  });
  return response === 0;
}

/** The host ended by itself and is being started again; the window goes on meanwhile. */
export function tellHostRestarted(cause: string): void {
  void dialog.showMessageBox({
    type: 'warning',
    title: 'Longleaf',
    message: 'A part of Longleaf stopped and was started again.',
    detail: `${cause} Conversations and documents are on disk; an answer that was being written can be asked for again.`,
    buttons: ['OK'],
  });
}

/** The host keeps ending: nothing works until the person decides. */
export async function askWhetherToRetry(cause: string): Promise<boolean> {
  const { response } = await dialog.showMessageBox({
    type: 'error',
    title: 'Longleaf',
    message: 'A part of Longleaf keeps stopping.',
    detail: `${cause} Conversations and documents are on disk. Starting Longleaf from a terminal shows what it says when it ends.`,
    buttons: ['Try again', 'Quit'],
    defaultId: 0,
    cancelId: 1,
  });
  return response === 0;
}
