/** Files on their way to the host: by opaque id in Electron, by upload in a browser. */
import { failure } from '../../host/contract/entities.ts';
import { ContractError } from '../../host/contract/client.ts';
import { uploadReply } from '../../host/contract/shell.ts';
import { strings } from './strings.ts';

/** A file the person chose: the host may know it already, or it has to be uploaded. */
export type PickedFile = { name: string; fileId: string } | { name: string; file: File };

const accepted = { document: '.txt,.md,.markdown,.text,text/plain,text/markdown', model: '.gguf', json: '.json,application/json' };

export async function pickFiles(kind: 'document' | 'model' | 'json'): Promise<PickedFile[]> {
  if (window.longleaf) return window.longleaf.pickFiles(kind);
  return new Promise((resolve) => {
    const input = document.createElement('input');
    input.type = 'file';
    input.multiple = kind === 'document';
    input.accept = accepted[kind];
    input.hidden = true;
    input.dataset.testid = `file-input-${kind}`;
    const finish = (files: File[]) => {
      input.remove();
      resolve(files.map((file) => ({ name: file.name, file })));
    };
    input.addEventListener('change', () => finish([...(input.files ?? [])]), { once: true });
    input.addEventListener('cancel', () => finish([]), { once: true });
    document.body.append(input);
    input.click();
  });
}

/** Files dropped on the window; in Electron the preload script turns them into ids. */
export function droppedFiles(files: Iterable<File>): Promise<PickedFile[]> {
  const bridge = window.longleaf;
  return Promise.all([...files].map((file) => (bridge ? bridge.registerDroppedFile(file) : { name: file.name, file })));
}

export function isModelFile(name: string): boolean {
  return name.toLowerCase().endsWith('.gguf');
}

/** Gives the id under which the host knows the file, after uploading it where that is needed. */
export async function uploadFile(picked: PickedFile, onProgress: (fraction: number) => void): Promise<string> {
  if ('fileId' in picked) return picked.fileId;
  // XMLHttpRequest, because fetch does not report how much of a body has been sent.
  const request = new XMLHttpRequest();
  request.open('PUT', `files?name=${encodeURIComponent(picked.name)}`);
  const body = await new Promise<string>((resolve, reject) => {
    request.upload.addEventListener('progress', (event) => onProgress(event.total > 0 ? event.loaded / event.total : 0));
    request.addEventListener('error', () => reject(uploadFailed(request.responseText)));
    request.addEventListener('load', () => (request.status < 300 ? resolve(request.responseText) : reject(uploadFailed(request.responseText))));
    request.send(picked.file);
  });
  return uploadReply.parse(JSON.parse(body)).fileId;
}

function uploadFailed(body: string): ContractError {
  try {
    const told = failure.safeParse(JSON.parse(body));
    if (told.success) return new ContractError(told.data);
  } catch {
    // Not the host's words: a broken connection, or a proxy's page.
  }
  return new ContractError({ code: 'upload-failed', ...strings.upload.failed });
}

/** Hands a text to the person as a file: the browser, or the desktop's own dialog, asks where. */
export function saveText(fileName: string, text: string, type: string): void {
  const address = URL.createObjectURL(new Blob([text], { type }));
  const link = document.createElement('a');
  link.href = address;
  link.download = fileName;
  link.click();
  // The download has taken hold of it by then.
  setTimeout(() => URL.revokeObjectURL(address), 60_000);
}
