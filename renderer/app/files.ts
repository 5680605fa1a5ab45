/** Files on their way to the host: by opaque id in Electron, by upload in a browser. */
import { type FolderFile, filesBelow, foldersOf, uploadFolder } from './folders.ts';
import { putFile } from './putFile.ts';

/** A file the person chose: the host may know it already, or it has to be uploaded. */
export type PickedFile = { name: string; fileId: string } | { name: string; file: File } | { name: string; files: FolderFile[] };

/** What is no document is refused in words; there are more kinds of code than a list could name. */
const accepted = { document: '', folder: '', model: '.gguf', json: '.json,application/json' };

export async function pickFiles(kind: keyof typeof accepted): Promise<PickedFile[]> {
  if (window.longleaf) return window.longleaf.pickFiles(kind);
  return new Promise((resolve) => {
    const input = document.createElement('input');
    input.type = 'file';
    input.multiple = kind === 'document';
    input.webkitdirectory = kind === 'folder';
    input.accept = accepted[kind];
    input.hidden = true;
    input.dataset.testid = `file-input-${kind}`;
    const finish = (files: File[]) => {
      input.remove();
      resolve(kind === 'folder' ? foldersOf(files) : files.map((file) => ({ name: file.name, file })));
    };
    input.addEventListener('change', () => finish([...(input.files ?? [])]), { once: true });
    input.addEventListener('cancel', () => finish([]), { once: true });
    document.body.append(input);
    input.click();
  });
}

/** A folder, by the desktop's dialog; a browser has none that it could name. */
export async function pickFolder(): Promise<{ fileId: string; name: string } | null> {
  const [folder] = (await window.longleaf?.pickFiles('folder')) ?? [];
  return folder ?? null;
}

/** Files and folders dropped on the window or pasted; in Electron the preload script turns them into ids. */
export function droppedFiles(dropped: DataTransfer): Promise<PickedFile[]> {
  const bridge = window.longleaf;
  if (bridge) return Promise.all([...dropped.files].map((file) => bridge.registerDroppedFile(file)));
  // What was dropped is gone once the event is over: everything is taken hold of now.
  const items = [...dropped.items].map((item) => ({ entry: item.webkitGetAsEntry(), file: item.getAsFile() }));
  return Promise.all(
    items.flatMap<Promise<PickedFile> | PickedFile>(({ entry, file }) => {
      if (entry?.isDirectory) return [filesBelow(entry as FileSystemDirectoryEntry).then((files) => ({ name: entry.name, files }))];
      return file ? [{ name: file.name, file }] : [];
    }),
  );
}

export function isModelFile(name: string): boolean {
  return name.toLowerCase().endsWith('.gguf');
}

/** Gives the id under which the host knows the file, after uploading it where that is needed. */
export async function uploadFile(picked: PickedFile, onProgress: (fraction: number) => void): Promise<string> {
  if ('fileId' in picked) return picked.fileId;
  if ('files' in picked) return uploadFolder(picked.name, picked.files, onProgress);
  return putFile(`files?name=${encodeURIComponent(picked.name)}`, picked.file, onProgress);
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
