/**
 * A file system in memory that can lose power. What was not synced may then be lost: of a file's writes
 * any may be missing or torn (a prefix, or any of its sectors of 512 bytes), of a folder's changes the
 * last ones may be undone; the two are independent, as they are on a disk.
 */
import { dirname } from 'node:path';
import type { FileSystem, ReadableFile, WritableFile } from '../memories/fileSystem.ts';

const sectorBytes = 512;

class FileNode {
  durable = Buffer.alloc(0);
  current = Buffer.alloc(0);
  modifiedAtMs = 1;
  /** `bytes` null: emptied. */
  unsynced: { offset: number; bytes: Uint8Array | null }[] = [];
}

class FolderNode {
  durable = new Map<string, Node>();
  current = new Map<string, Node>();
  unsynced: ((entries: Map<string, Node>) => void)[] = [];

  change(apply: (entries: Map<string, Node>) => void): void {
    apply(this.current);
    this.unsynced.push(apply);
  }
}

type Node = FileNode | FolderNode;

export class PowerCut extends Error {
  constructor() {
    super('the power was cut');
  }
}

export class PowerCutDisk implements FileSystem {
  readonly #root = new FolderNode();
  readonly #locked = new Set<string>();
  /** Changes so far, syncs included: the moments at which the power can go. */
  operations = 0;
  /** The power goes during this one. */
  cutAt = Infinity;
  freeSpaceBytes = 1e12;
  parentOf = dirname;

  /** What is there when the power is back. `random` gives numbers from 0 to 1. */
  restart(random: () => number): void {
    restore(this.#root, random);
    this.#locked.clear();
    this.operations = 0;
    this.cutAt = Infinity;
  }

  async makeFolder(path: string): Promise<void> {
    const { folder, name } = this.#place(path);
    if (folder.current.get(name) instanceof FolderNode) return;
    const node = new FolderNode();
    this.#operate(() => folder.change((entries) => entries.set(name, node)));
  }

  async list(path: string): Promise<string[]> {
    return [...this.#folder(path).current.keys()];
  }

  async stat(path: string): Promise<{ sizeBytes: number; modifiedAtMs: number }> {
    const { current, modifiedAtMs } = this.#file(path);
    return { sizeBytes: current.length, modifiedAtMs };
  }

  async readFile(path: string): Promise<Uint8Array> {
    return Buffer.from(this.#file(path).current);
  }

  async openFile(path: string): Promise<ReadableFile> {
    const file = this.#file(path);
    return {
      read: async (target, offsetBytes) => {
        this.#requirePower();
        return file.current.copy(target, 0, offsetBytes);
      },
      close: async () => undefined,
    };
  }

  async createFile(path: string): Promise<WritableFile> {
    const { folder, name } = this.#place(path);
    const known = folder.current.get(name);
    const file = known instanceof FileNode ? known : new FileNode();
    this.#operate(() => {
      if (file === known) write(file, { offset: 0, bytes: null });
      else folder.change((entries) => entries.set(name, file));
    });
    return {
      append: async (bytes) => this.#operate(() => write(file, { offset: file.current.length, bytes: Buffer.from(bytes) })),
      sync: async () =>
        this.#operateWhole(() => {
          file.durable = file.current;
          file.unsynced = [];
        }),
      close: async () => undefined,
    };
  }

  async syncFolder(path: string): Promise<void> {
    const folder = this.#folder(path);
    this.#operateWhole(() => {
      folder.durable = new Map(folder.current);
      folder.unsynced = [];
    });
  }

  async rename(from: string, to: string): Promise<void> {
    if (dirname(from) !== dirname(to)) throw new Error('a rename to another folder is not simulated');
    const { folder, name } = this.#place(from);
    const node = folder.current.get(name);
    const target = this.#place(to).name;
    if (!node) throw missing(from);
    if (folder.current.get(target) instanceof FolderNode) throw Object.assign(new Error(`${to} is there`), { code: 'ENOTEMPTY' });
    this.#operate(() =>
      folder.change((entries) => {
        entries.delete(name);
        entries.set(target, node);
      }),
    );
  }

  async removeFile(path: string): Promise<void> {
    this.#file(path);
    const { folder, name } = this.#place(path);
    this.#operate(() => folder.change((entries) => entries.delete(name)));
  }

  async removeFolder(path: string): Promise<void> {
    if (this.#folder(path).current.size > 0) throw Object.assign(new Error(`${path} is not empty`), { code: 'ENOTEMPTY' });
    const { folder, name } = this.#place(path);
    this.#operate(() => folder.change((entries) => entries.delete(name)));
  }

  async touch(path: string, modifiedAtMs: number): Promise<void> {
    this.#file(path).modifiedAtMs = modifiedAtMs;
  }

  async freeBytes(): Promise<number> {
    this.#requirePower();
    return this.freeSpaceBytes;
  }

  lock(path: string): { release(): void } {
    if (this.#locked.has(path)) throw new Error(`${path} is locked`);
    this.#locked.add(path);
    return { release: () => this.#locked.delete(path) };
  }

  /** A change that may or may not have happened when the power goes during it. */
  #operate(change: () => void): void {
    this.#requirePower();
    this.operations += 1;
    change();
    this.#requirePower();
  }

  /** One that promises nothing until it is over. */
  #operateWhole(change: () => void): void {
    this.#requirePower();
    this.operations += 1;
    this.#requirePower();
    change();
  }

  #requirePower(): void {
    if (this.operations >= this.cutAt) throw new PowerCut();
  }

  #place(path: string): { folder: FolderNode; name: string } {
    return { folder: this.#folder(dirname(path)), name: path.slice(dirname(path).length).replace('/', '') };
  }

  #folder(path: string): FolderNode {
    this.#requirePower();
    let node: Node | undefined = this.#root;
    for (const name of path.split('/').filter(Boolean)) node = node instanceof FolderNode ? node.current.get(name) : undefined;
    if (!(node instanceof FolderNode)) throw missing(path);
    return node;
  }

  #file(path: string): FileNode {
    const { folder, name } = this.#place(path);
    const node = folder.current.get(name);
    if (!(node instanceof FileNode)) throw missing(path);
    return node;
  }
}

function write(file: FileNode, change: FileNode['unsynced'][number]): void {
  file.current = applied(file.current, change.offset, change.bytes);
  file.unsynced.push(change);
}

function applied(content: Buffer, offset: number, bytes: Uint8Array | null): Buffer<ArrayBuffer> {
  if (bytes === null) return Buffer.alloc(0);
  const longer = Buffer.alloc(Math.max(content.length, offset + bytes.length));
  content.copy(longer);
  longer.set(bytes, offset);
  return longer;
}

function restore(node: Node, random: () => number): void {
  if (node instanceof FileNode) {
    let content = node.durable;
    for (const { offset, bytes } of node.unsynced) content = torn(content, offset, bytes, random);
    Object.assign(node, { durable: content, current: content, unsynced: [] });
    return;
  }
  const entries = new Map(node.durable);
  for (const change of node.unsynced.slice(0, survivors(node.unsynced.length, random))) change(entries);
  Object.assign(node, { durable: entries, current: new Map(entries), unsynced: [] });
  for (const child of entries.values()) restore(child, random);
}

/** None and all are as likely as anything between. */
function survivors(count: number, random: () => number): number {
  const chance = random();
  if (chance < 1 / 3) return 0;
  return chance < 2 / 3 ? count : Math.floor(random() * (count + 1));
}

function torn(content: Buffer<ArrayBuffer>, offset: number, bytes: Uint8Array | null, random: () => number): Buffer<ArrayBuffer> {
  const chance = random();
  if (chance < 0.25) return content;
  if (bytes === null || chance < 0.5) return applied(content, offset, bytes);
  if (chance < 0.75) return applied(content, offset, bytes.subarray(0, Math.floor(random() * bytes.length)));
  let result = content;
  for (let start = 0; start < bytes.length; start += sectorBytes) {
    if (random() < 0.5) result = applied(result, offset + start, bytes.subarray(start, start + sectorBytes));
  }
  return result;
}

function missing(path: string): Error {
  return Object.assign(new Error(`there is no ${path}`), { code: 'ENOENT' });
}
