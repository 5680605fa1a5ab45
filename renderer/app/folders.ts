/** Folders on their way to the host in a browser, which hands over their files one by one. */
import { putFile } from './putFile.ts';

/** A file and its path inside the folder, with slashes. */
export interface FolderFile {
  path: string;
  file: File;
}

/** What the host would leave out anyway is not sent. */
const neverRead = /(^|\/)(\.git|node_modules)\//;
const uploadsAtOnce = 4;

/** What `<input webkitdirectory>` gives: every path begins with the folder's name. */
export function foldersOf(files: readonly File[]): { name: string; files: FolderFile[] }[] {
  const folders = new Map<string, FolderFile[]>();
  for (const file of files) {
    const [name, ...rest] = file.webkitRelativePath.split('/');
    if (name !== undefined && rest.length > 0) folders.set(name, [...(folders.get(name) ?? []), { path: rest.join('/'), file }]);
  }
  return [...folders].map(([name, folderFiles]) => ({ name, files: folderFiles }));
}

/** The files below a folder that was dropped. */
export async function filesBelow(folder: FileSystemDirectoryEntry, base = ''): Promise<FolderFile[]> {
  const found: FolderFile[] = [];
  const reader = folder.createReader();
  for (;;) {
    // A call gives a hundred entries at most.
    const entries = await new Promise<FileSystemEntry[]>((resolve, reject) => reader.readEntries(resolve, reject));
    if (entries.length === 0) return found;
    for (const entry of entries) {
      const path = base + entry.name;
      if (neverRead.test(`${path}/`)) continue;
      if (entry.isDirectory) found.push(...(await filesBelow(entry as FileSystemDirectoryEntry, `${path}/`)));
      else found.push({ path, file: await new Promise<File>((resolve, reject) => (entry as FileSystemFileEntry).file(resolve, reject)) });
    }
  }
}

/** Gives the id under which the host knows the folder. */
export async function uploadFolder(name: string, files: readonly FolderFile[], onProgress: (fraction: number) => void): Promise<string> {
  const fileId = await putFile(`folders?name=${encodeURIComponent(name)}`, null);
  const wanted = files.filter(({ path }) => !neverRead.test(path));
  let next = 0;
  let done = 0;
  const work = async () => {
    for (let index = next++; index < wanted.length; index = next++) {
      const { path, file } = wanted[index];
      await putFile(`files?folder=${fileId}&name=${encodeURIComponent(path)}`, file);
      onProgress((done += 1) / wanted.length);
    }
  };
  await Promise.all(Array.from({ length: uploadsAtOnce }, work));
  return fileId;
}
