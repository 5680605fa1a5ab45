/** Native dialogs: choosing files, and the few things that have to be said outside the window. */
import { type BrowserWindow, dialog, type OpenDialogOptions } from 'electron';
import type { Failure } from '../host/contract/entities.ts';
import { words } from './words/words.ts';

export type PickKind = 'document' | 'folder' | 'model' | 'json';

interface Choice {
  filters: { name: 'documents' | 'models' | 'allFiles' | 'JSON'; extensions: string[] }[];
  properties: OpenDialogOptions['properties'];
}

const choices: Record<PickKind, Choice> = {
  document: {
    filters: [
      { name: 'documents', extensions: ['pdf', 'epub', 'docx', 'xlsx', 'pptx', 'html', 'htm', 'md', 'markdown', 'txt', 'csv', 'tsv'] },
      { name: 'allFiles', extensions: ['*'] },
    ],
    properties: ['openFile', 'multiSelections'],
  },
  folder: { filters: [], properties: ['openDirectory', 'createDirectory'] },
  model: {
    filters: [
      { name: 'models', extensions: ['gguf'] },
      { name: 'allFiles', extensions: ['*'] },
    ],
    properties: ['openFile'],
  },
  json: { filters: [{ name: 'JSON', extensions: ['json'] }], properties: ['openFile'] },
};

/** The paths that the person chose; empty when they cancelled. */
export async function choosePaths(window: BrowserWindow, kind: PickKind): Promise<string[]> {
  const { filters, properties } = choices[kind];
  const { pick } = words();
  const { canceled, filePaths } = await dialog.showOpenDialog(window, {
    title: pick[kind],
    filters: filters.map(({ name, extensions }) => ({ name: name === 'JSON' ? name : pick[name], extensions })),
    properties,
  });
  return canceled ? [] : filePaths;
}

/** For what ends the app: waits until it has been read. */
export function showFatalFailure(failure: Failure): void {
  dialog.showErrorBox(words().fatal, `${failure.message}\n\n${failure.remedy}`);
}

/** The database is damaged: its newest backup can take its place, and the damaged one is kept. */
export async function askWhetherToRestore(failure: Failure): Promise<boolean> {
  const { restore, quit } = words();
  const { response } = await dialog.showMessageBox({
    type: 'error',
    title: 'Longleaf',
    message: restore.message,
    detail: `${failure.message}\n\n${restore.detail}`,
    buttons: [restore.restore, quit],
    defaultId: 0,
    cancelId: 1,
  });
  return response === 0;
}

/** The host ended by itself and is being started again; the window goes on meanwhile. */
export function tellHostRestarted(cause: string): void {
  const { hostRestarted, ok } = words();
  void dialog.showMessageBox({
    type: 'warning',
    title: 'Longleaf',
    message: hostRestarted.message,
    detail: `${cause} ${hostRestarted.detail}`,
    buttons: [ok],
  });
}

/** The host keeps ending: nothing works until the person decides. */
export async function askWhetherToRetry(cause: string): Promise<boolean> {
  const { hostKeepsEnding, quit } = words();
  const { response } = await dialog.showMessageBox({
    type: 'error',
    title: 'Longleaf',
    message: hostKeepsEnding.message,
    detail: `${cause} ${hostKeepsEnding.detail}`,
    buttons: [hostKeepsEnding.retry, quit],
    defaultId: 0,
    cancelId: 1,
  });
  return response === 0;
}
