/**
 * The host's side of the contract over one connection: every call is validated, every outcome, a
 * failure too, is answered as data, and a slow reader cannot make the host's memory grow.
 */
import { callEnvelope, type Connection, type ReplyEnvelope } from './contract/wire.ts';
import { type EventName, type MethodName, methods } from './contract/methods.ts';
import { HostError, toFailure } from './errors.ts';
import type { HostEvents } from './events.ts';
import type { Handlers } from './handlers.ts';

export interface HostConnection extends Connection {
  /** Bytes accepted by `send` that have not left yet. */
  bufferedBytes(): number;
}

/** Above this, events that later ones make up for are left out. */
const slowReaderBytes = 8_000_000;
/** Above this the connection is closed; the interface connects again and asks for what it shows. */
const stuckReaderBytes = 512_000_000;

/** Calls of one connection that may be under way at a time: the interface never has a tenth of them. */
const mostCalls = 256;

/** A gap in `answer.delta` shows in its offsets; the finished message carries the whole text. */
const replaceableEvents: ReadonlySet<EventName> = new Set(['answer.delta', 'answer.progress', 'downloads.changed', 'worker.status'] as const);

export function serveContract(connection: HostConnection, handlers: Handlers, events: HostEvents): void {
  const send = (reply: ReplyEnvelope) => {
    if (connection.bufferedBytes() > stuckReaderBytes) connection.close();
    else connection.send(reply);
  };
  const unsubscribe = events.subscribe((name, payload) => {
    if (replaceableEvents.has(name) && connection.bufferedBytes() > slowReaderBytes) return;
    send({ kind: 'event', name, payload });
  });
  connection.onClose(unsubscribe);
  let calls = 0;
  connection.onMessage((message) => {
    if (calls >= mostCalls) return send({ kind: 'failure', id: idOf(message), failure: toFailure(tooManyCalls()) });
    calls += 1;
    void answer(message, handlers)
      .finally(() => (calls -= 1))
      .then(send);
  });
}

function tooManyCalls(): HostError {
  return new HostError('bad-request', `This window has ${mostCalls} calls under way already.`, 'Wait for them, or reload the window.');
}

/** Never rejects. */
async function answer(message: unknown, handlers: Handlers): Promise<ReplyEnvelope> {
  const call = callEnvelope.safeParse(message);
  if (!call.success) return { kind: 'failure', id: idOf(message), failure: toFailure(call.error) };
  const { id, method, params } = call.data;
  try {
    return { kind: 'result', id, value: await perform(method, params, handlers) };
  } catch (error) {
    return { kind: 'failure', id, failure: toFailure(error) };
  }
}

async function perform(method: string, params: unknown, handlers: Handlers): Promise<unknown> {
  if (!Object.hasOwn(methods, method)) {
    throw new HostError('bad-request', `There is no method “${method}”.`, 'The interface and the host are of different versions: restart Longleaf.');
  }
  const name = method as MethodName;
  // The table ties each handler to its schema; that tie is lost when the name is only known at run time.
  const handler = handlers[name] as (params: unknown) => unknown;
  return handler(methods[name].params.parse(params));
}

function idOf(message: unknown): number {
  if (typeof message === 'object' && message !== null && 'id' in message && Number.isSafeInteger(message.id)) return message.id as number;
  return 0;
}
