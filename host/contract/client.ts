/** The caller's side of the contract: typed calls and typed events over any connection. */
import type { Failure } from './entities.ts';
import { type EventName, type EventPayload, type MethodName, type MethodParams, type MethodResult, events, methods } from './methods.ts';
import { type Connection, replyEnvelope } from './wire.ts';

/** A failure that came back from the host; `message` says what and why, `remedy` what to do. */
export class ContractError extends Error {
  readonly failure: Failure;
  constructor(failure: Failure) {
    super(failure.message);
    this.name = 'ContractError';
    this.failure = failure;
  }
}

interface Pending {
  method: MethodName;
  resolve(value: unknown): void;
  reject(error: Error): void;
}

export class ContractClient {
  readonly #connection: Connection;
  readonly #pending = new Map<number, Pending>();
  readonly #listeners = new Map<EventName, Set<(payload: never) => void>>();
  #nextId = 0;

  constructor(connection: Connection) {
    this.#connection = connection;
    connection.onMessage((message) => this.#receive(message));
    connection.onClose(() => this.#fail());
  }

  /** Calls the host. Rejects with a ContractError that carries the host's own words. */
  call<M extends MethodName>(method: M, params: MethodParams<M>): Promise<MethodResult<M>> {
    const id = this.#nextId++;
    return new Promise((resolve, reject) => {
      this.#pending.set(id, { method, resolve: resolve as (value: unknown) => void, reject });
      this.#connection.send({ kind: 'call', id, method, params });
    });
  }

  /** Listens to an event; returns the function that stops listening. */
  on<E extends EventName>(name: E, listener: (payload: EventPayload<E>) => void): () => void {
    const listeners = this.#listeners.get(name) ?? new Set();
    this.#listeners.set(name, listeners);
    listeners.add(listener as (payload: never) => void);
    return () => listeners.delete(listener as (payload: never) => void);
  }

  #receive(message: unknown): void {
    const reply = replyEnvelope.parse(message);
    if (reply.kind === 'event') {
      const name = reply.name as EventName;
      if (!(name in events)) return;
      const payload = events[name].parse(reply.payload);
      for (const listener of this.#listeners.get(name) ?? []) listener(payload as never);
      return;
    }
    const pending = this.#pending.get(reply.id);
    if (!pending) return;
    this.#pending.delete(reply.id);
    if (reply.kind === 'failure') return pending.reject(new ContractError(reply.failure));
    const result = methods[pending.method].result.safeParse(reply.value);
    if (result.success) pending.resolve(result.data);
    else pending.reject(result.error);
  }

  #fail(): void {
    const gone = new ContractError({
      code: 'host-gone',
      message: 'The connection to Longleaf’s host process ended.',
      remedy: 'Wait for it to come back, or restart Longleaf.',
    });
    for (const pending of this.#pending.values()) pending.reject(gone);
    this.#pending.clear();
  }
}
