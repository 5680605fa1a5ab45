/** The API as the person turns it on and off: one server that follows the settings. */
import { join } from 'node:path';
import type { ApiStatus, Failure, Settings } from '../contract/entities.ts';
import { toFailure } from '../errors.ts';
import { ApiKey } from './access.ts';
import type { ApiParts } from './apiParts.ts';
import { type ApiServer, startApiServer } from './apiServer.ts';

export class LocalApi {
  readonly #parts: ApiParts;
  readonly #key: ApiKey;
  #server: ApiServer | null = null;
  /** The port that was asked for; null: off. */
  #wantedPort: number | null = null;
  #failure: Failure | null = null;
  /** The end of the queue of changes. */
  #changes: Promise<void> = Promise.resolve();

  constructor(parts: ApiParts) {
    this.#parts = parts;
    this.#key = new ApiKey(join(parts.folder.root, 'api-key'));
  }

  get status(): ApiStatus {
    const state = this.#server ? 'running' : this.#failure ? 'failed' : 'off';
    return { state, address: this.#server && `http://127.0.0.1:${this.#server.port}/v1`, key: this.#key.read(), failure: this.#failure };
  }

  regenerateKey(): ApiStatus {
    this.#key.regenerate();
    this.#announce();
    return this.status;
  }

  /** Never rejects: a port that cannot be had is told in the status. */
  follow({ enabled, port }: Settings['api']): Promise<void> {
    return (this.#changes = this.#changes.then(() => this.#set(enabled ? port : null)));
  }

  async close(): Promise<void> {
    await this.follow({ enabled: false, port: 0 });
  }

  async #set(port: number | null): Promise<void> {
    if (port === this.#wantedPort && !this.#failure) return;
    this.#wantedPort = port;
    this.#failure = null;
    const before = this.#server;
    this.#server = null;
    await before?.close();
    if (port !== null) {
      try {
        this.#server = await startApiServer(this.#parts, this.#key, port);
      } catch (error) {
        this.#failure = { ...toFailure(error), remedy: 'Choose another port for the API.' };
      }
    }
    this.#announce();
  }

  #announce(): void {
    this.#parts.events.emit('api.changed', this.status);
  }
}
