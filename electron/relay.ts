/**
 * Carries the contract between the windows' ports and the host, unread: both ends validate. A connection is numbered;
 * when the host ends, every connection is closed and the interface opens a new one.
 */
import type { MessagePortMain } from 'electron';
import type { ShellRequest } from '../host/contract/shell.ts';
import type { PortFrame } from './channels.ts';

export class Relay {
  readonly #send: (request: ShellRequest) => void;
  readonly #ports = new Map<number, MessagePortMain>();
  #nextConnectionId = 0;

  constructor(send: (request: ShellRequest) => void) {
    this.#send = send;
  }

  /** Connects a window's port to the host. */
  connect(port: MessagePortMain): void {
    const connectionId = this.#nextConnectionId++;
    this.#ports.set(connectionId, port);
    this.#send({ kind: 'connect', connectionId });
    port.on('message', ({ data }) => {
      if (this.#ports.has(connectionId)) this.#send({ kind: 'contract', connectionId, message: data });
    });
    // The page was closed or reloaded.
    port.on('close', () => {
      if (this.#ports.delete(connectionId)) this.#send({ kind: 'disconnect', connectionId });
    });
    port.start();
  }

  /** Passes a message of the host on to the window it is for. */
  deliver(connectionId: number, message: unknown): void {
    this.#ports.get(connectionId)?.postMessage({ kind: 'message', message } satisfies PortFrame);
  }

  /** The host is gone, and with it all connections. */
  closeAll(): void {
    const ports = [...this.#ports.values()];
    this.#ports.clear();
    for (const port of ports) {
      port.postMessage({ kind: 'closed' } satisfies PortFrame);
      port.close();
    }
  }
}
