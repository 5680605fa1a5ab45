/** Turns paths that the person gave into the opaque ids by which the interface knows files. */
import { basename } from 'node:path';
import type { ShellReply, ShellRequest } from '../host/contract/shell.ts';

export interface RegisteredFile {
  fileId: string;
  name: string;
}

interface Pending {
  name: string;
  resolve(file: RegisteredFile): void;
  reject(error: Error): void;
}

export class FileRegistry {
  readonly #send: (request: ShellRequest) => void;
  readonly #pending = new Map<number, Pending>();
  #nextRequestId = 0;

  constructor(send: (request: ShellRequest) => void) {
    this.#send = send;
  }

  register(path: string): Promise<RegisteredFile> {
    const requestId = this.#nextRequestId++;
    return new Promise((resolve, reject) => {
      this.#pending.set(requestId, { name: basename(path), resolve, reject });
      this.#send({ kind: 'register-file', requestId, path });
    });
  }

  settle(reply: Extract<ShellReply, { kind: 'file' | 'file-failed' }>): void {
    const pending = this.#pending.get(reply.requestId);
    if (!pending) return;
    this.#pending.delete(reply.requestId);
    if (reply.kind === 'file') pending.resolve({ fileId: reply.fileId, name: pending.name });
    else pending.reject(new Error(`${reply.failure.message} ${reply.failure.remedy}`));
  }

  /** The host is gone, and with it the answers. */
  rejectAll(): void {
    const pending = [...this.#pending.values()];
    this.#pending.clear();
    for (const { name, reject } of pending) reject(new Error(`“${name}” could not be opened: Longleaf’s host process ended. Try again.`));
  }
}
