/** The operating system's key store, asked through Electron main. */
import type { ShellReply, ShellRequest } from '../contract/shell.ts';
import type { Vault } from './secretStore.ts';

/** A key store may ask the person for a password first. */
const answerWithinMs = 60_000;

export class ShellVault implements Vault {
  readonly #send: (reply: ShellReply) => void;
  readonly #pending = new Map<number, (text: string | null) => void>();
  #nextRequestId = 0;

  constructor(send: (reply: ShellReply) => void) {
    this.#send = send;
  }

  seal(secret: string): Promise<string | null> {
    return this.#ask('seal', secret);
  }

  unseal(sealed: string): Promise<string | null> {
    return this.#ask('unseal', sealed);
  }

  settle({ requestId, text }: Extract<ShellRequest, { kind: 'vault' }>): void {
    this.#pending.get(requestId)?.(text);
    this.#pending.delete(requestId);
  }

  #ask(task: 'seal' | 'unseal', text: string): Promise<string | null> {
    const requestId = this.#nextRequestId++;
    return new Promise((resolve) => {
      const timer = setTimeout(() => this.settle({ kind: 'vault', requestId, text: null }), answerWithinMs);
      this.#pending.set(requestId, (answer) => {
        clearTimeout(timer);
        resolve(answer);
      });
      this.#send({ kind: 'vault', requestId, task, text });
    });
  }
}
