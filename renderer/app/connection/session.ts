/**
 * One lasting session over connections that may end: calls go to the newest connection, listeners
 * outlive it, and a lost connection is opened again with growing pauses.
 */
import { createStore } from 'zustand/vanilla';
import { ContractClient, ContractError } from '../../../host/contract/client.ts';
import { type EventName, type EventPayload, type MethodName, type MethodParams, type MethodResult, events } from '../../../host/contract/methods.ts';
import type { OpenConnection } from './transport.ts';

/** What the stores need of the host; tests give their own. */
export interface HostCaller {
  call<M extends MethodName>(method: M, params: MethodParams<M>): Promise<MethodResult<M>>;
  on<E extends EventName>(name: E, listener: (payload: EventPayload<E>) => void): () => void;
  /** Called at every connection, the first and each after a loss. */
  onOpen(listener: () => void): () => void;
}

export type Link = { phase: 'connecting' } | { phase: 'open' } | { phase: 'lost'; attempts: number; retryAtMs: number };

const firstPauseMs = 300;
const longestPauseMs = 10_000;

export function pauseBeforeAttempt(attempts: number): number {
  return Math.min(longestPauseMs, firstPauseMs * 2 ** Math.min(attempts, 10));
}

export class HostSession implements HostCaller {
  readonly link = createStore<Link>(() => ({ phase: 'connecting' }));
  readonly #listeners = new Map<EventName, Set<(payload: never) => void>>();
  readonly #openListeners = new Set<() => void>();
  #open: OpenConnection | null = null;
  #client: ContractClient | null = null;
  #attempts = 0;
  #timer: ReturnType<typeof setTimeout> | null = null;

  start(open: OpenConnection): void {
    this.#open = open;
    void this.#connect();
  }

  /** Tries at once instead of waiting for the pause to end. */
  retryNow(): void {
    if (this.link.getState().phase !== 'lost') return;
    if (this.#timer) clearTimeout(this.#timer);
    void this.#connect();
  }

  call<M extends MethodName>(method: M, params: MethodParams<M>): Promise<MethodResult<M>> {
    if (this.#client) return this.#client.call(method, params);
    return Promise.reject(
      new ContractError({
        code: 'host-gone',
        message: 'Longleaf’s host process is not connected.',
        remedy: 'Wait for the connection to come back, then try again.',
      }),
    );
  }

  on<E extends EventName>(name: E, listener: (payload: EventPayload<E>) => void): () => void {
    const listeners = this.#listeners.get(name) ?? new Set();
    this.#listeners.set(name, listeners);
    listeners.add(listener as (payload: never) => void);
    return () => listeners.delete(listener as (payload: never) => void);
  }

  onOpen(listener: () => void): () => void {
    this.#openListeners.add(listener);
    if (this.#client) listener();
    return () => this.#openListeners.delete(listener);
  }

  async #connect(): Promise<void> {
    if (!this.#open) return;
    this.#timer = null;
    try {
      const connection = await this.#open();
      connection.onClose(() => this.#lost());
      // Opened is not yet well: only a host that says something ends the growing pauses.
      connection.onMessage(() => (this.#attempts = 0));
      const client = new ContractClient(connection);
      for (const name of Object.keys(events) as EventName[]) {
        client.on(name, (payload) => {
          for (const listener of this.#listeners.get(name) ?? []) listener(payload as never);
        });
      }
      this.#client = client;
      this.link.setState({ phase: 'open' }, true);
      for (const listener of this.#openListeners) listener();
    } catch {
      this.#lost();
    }
  }

  #lost(): void {
    this.#client = null;
    const pause = pauseBeforeAttempt(this.#attempts);
    this.#attempts += 1;
    this.link.setState({ phase: 'lost', attempts: this.#attempts, retryAtMs: Date.now() + pause }, true);
    this.#timer = setTimeout(() => void this.#connect(), pause);
  }
}

/** The session of this window; it connects when the entry calls `start`. */
export const host = new HostSession();
