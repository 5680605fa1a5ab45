/**
 * Carries the contract between the windows' ports and the host, unread: both ends validate. A connection is numbered;
 * when the host ends, every connection is closed and the interface opens a new one. A page is trusted with nothing: one
 * that sends what cannot be sent on, or more than the host takes, loses its connection and nothing else.
 */
import type { MessagePortMain } from 'electron';
import * as z from 'zod';
import type { ShellRequest } from '../host/contract/shell.ts';
import type { PageFrame, PortFrame } from './channels.ts';

/** Sends to the host; `taken` is called when it has left this process. Throws for what is not JSON. */
export type SendToHost = (request: ShellRequest, taken?: () => void) => void;

const pageFrame: z.ZodType<PageFrame> = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('message'), message: z.unknown() }),
  z.object({ kind: z.literal('taken'), messages: z.number().int().positive() }),
]);

/** Messages of one page on their way to the host. */
const mostOnTheirWay = 4096;

interface Connection {
  port: MessagePortMain;
  onTheirWay: number;
}

export class Relay {
  readonly #send: SendToHost;
  readonly #connections = new Map<number, Connection>();
  #nextConnectionId = 0;

  constructor(send: SendToHost) {
    this.#send = send;
  }

  /** Connects a window's port to the host. */
  connect(port: MessagePortMain): void {
    const connectionId = this.#nextConnectionId++;
    this.#connections.set(connectionId, { port, onTheirWay: 0 });
    this.#send({ kind: 'connect', connectionId });
    port.on('message', ({ data }) => this.#receive(connectionId, data));
    // The page was closed or reloaded.
    port.on('close', () => {
      if (this.#connections.delete(connectionId)) this.#send({ kind: 'disconnect', connectionId });
    });
    port.start();
  }

  /** Passes a message of the host on to the window it is for. */
  deliver(connectionId: number, message: unknown): void {
    this.#connections.get(connectionId)?.port.postMessage({ kind: 'message', message } satisfies PortFrame);
  }

  /** The host has ended this connection, or the page has lost the right to it. */
  close(connectionId: number): void {
    const connection = this.#connections.get(connectionId);
    if (!connection) return;
    this.#connections.delete(connectionId);
    connection.port.postMessage({ kind: 'closed' } satisfies PortFrame);
    connection.port.close();
  }

  /** The host is gone, and with it all connections. */
  closeAll(): void {
    for (const connectionId of this.#connections.keys()) this.close(connectionId);
  }

  #receive(connectionId: number, data: unknown): void {
    const connection = this.#connections.get(connectionId);
    if (!connection) return;
    const frame = pageFrame.safeParse(data);
    if (!frame.success || connection.onTheirWay >= mostOnTheirWay) return this.#refuse(connectionId);
    if (frame.data.kind === 'taken') return this.#send({ kind: 'taken', connectionId, messages: frame.data.messages });
    connection.onTheirWay += 1;
    try {
      this.#send({ kind: 'contract', connectionId, message: frame.data.message }, () => (connection.onTheirWay -= 1));
    } catch {
      // Not JSON: cycles, big integers, more brackets than a stack holds.
      this.#refuse(connectionId);
    }
  }

  #refuse(connectionId: number): void {
    this.close(connectionId);
    this.#send({ kind: 'disconnect', connectionId });
  }
}
