/** What happens in the host, for whoever is connected. */
import type { EventName, EventPayload } from './contract/methods.ts';

type Listener = <E extends EventName>(name: E, payload: EventPayload<E>) => void;

export class HostEvents {
  readonly #listeners = new Set<Listener>();

  emit<E extends EventName>(name: E, payload: EventPayload<E>): void {
    for (const listener of this.#listeners) listener(name, payload);
  }

  /** Returns the function that stops listening. */
  subscribe(listener: Listener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}
