/**
 * The access token for the hub. Under Electron it is sealed by the operating system's key store before it is written;
 * elsewhere it lies in a file that only its owner can read, and the interface says so.
 */
import { chmod, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import * as z from 'zod';
import type { TokenStatus } from '../contract/hub.ts';

/** The operating system's key store, reached through Electron; null where it has none. */
export interface Vault {
  seal(secret: string): Promise<string | null>;
  unseal(sealed: string): Promise<string | null>;
}

const record = z.union([z.object({ sealed: z.string() }), z.object({ token: z.string() })]);

export class SecretStore {
  readonly #path: string;
  readonly #vault: Vault | null;
  readonly #environment: NodeJS.ProcessEnv;
  /** What the key store gave, so that it is asked once. */
  #known: { token: string | null } | null = null;

  constructor(path: string, vault: Vault | null, environment: NodeJS.ProcessEnv = process.env) {
    this.#path = path;
    this.#vault = vault;
    this.#environment = environment;
  }

  async status(): Promise<TokenStatus> {
    const kept = await this.#read();
    if (kept) return { kept: 'sealed' in kept ? 'system' : 'file' };
    return { kept: this.#environment['HF_TOKEN'] ? 'environment' : null };
  }

  /** null when there is none, or when the key store does not open it any more. */
  async token(): Promise<string | null> {
    if (!this.#known) {
      const kept = await this.#read();
      const token = kept === null ? null : 'token' in kept ? kept.token : await this.#vault?.unseal(kept.sealed).catch(() => null);
      this.#known = { token: token ?? null };
    }
    return this.#known.token ?? this.#environment['HF_TOKEN'] ?? null;
  }

  async set(token: string | null): Promise<TokenStatus> {
    this.#known = null;
    if (token === null) await rm(this.#path, { force: true });
    else {
      const sealed = await this.#vault?.seal(token).catch(() => null);
      await mkdir(dirname(this.#path), { recursive: true, mode: 0o700 });
      await writeFile(`${this.#path}.new`, JSON.stringify(sealed ? { sealed } : { token }), { mode: 0o600 });
      await chmod(`${this.#path}.new`, 0o600);
      await rename(`${this.#path}.new`, this.#path);
    }
    return this.status();
  }

  async #read() {
    const text = await readFile(this.#path, 'utf8').catch(() => null);
    if (text === null) return null;
    try {
      return record.parse(JSON.parse(text));
    } catch {
      return null;
    }
  }
}
