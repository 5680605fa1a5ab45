/** One window under Electron, as the host sees it: a connection whose messages Electron main relays. */
import type { HostConnection } from './contractServer.ts';
import type { ShellReply } from './contract/shell.ts';

export class ShellWindow implements HostConnection {
  readonly #connectionId: number;
  readonly #send: (reply: ShellReply) => void;
  readonly #messageListeners: ((message: unknown) => void)[] = [];
  readonly #closeListeners: (() => void)[] = [];
  /** Of the messages that the window has not taken yet, in order. */
  readonly #sizesBytes: number[] = [];
  #bufferedBytes = 0;
  #closed = false;

  constructor(connectionId: number, send: (reply: ShellReply) => void) {
    this.#connectionId = connectionId;
    this.#send = send;
  }

  send(message: unknown): void {
    if (this.#closed) return;
    const bytes = JSON.stringify(message).length;
    this.#sizesBytes.push(bytes);
    this.#bufferedBytes += bytes;
    this.#send({ kind: 'contract', connectionId: this.#connectionId, message });
  }

  onMessage(listener: (message: unknown) => void): void {
    this.#messageListeners.push(listener);
  }

  onClose(listener: () => void): void {
    this.#closeListeners.push(listener);
  }

  /** The host ends it; the window hears of that, and connects again. */
  close(): void {
    if (this.#closed) return;
    this.#send({ kind: 'closed', connectionId: this.#connectionId });
    this.disconnected();
  }

  bufferedBytes(): number {
    return this.#bufferedBytes;
  }

  receive(message: unknown): void {
    if (!this.#closed) for (const listener of this.#messageListeners) listener(message);
  }

  /** The window has got so many more messages. */
  taken(messages: number): void {
    for (const bytes of this.#sizesBytes.splice(0, messages)) this.#bufferedBytes -= bytes;
  }

  disconnected(): void {
    if (this.#closed) return;
    this.#closed = true;
    for (const listener of this.#closeListeners) listener();
  }
}
