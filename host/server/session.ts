/**
 * Who may talk to the local server: whoever opened a single-use URL from this terminal. Its key is
 * exchanged for a cookie that scripts cannot read and other sites cannot send.
 */
import { randomBytes, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';

export class ServerSession {
  readonly #secret = randomBytes(32).toString('base64url');
  readonly #keys = new Set<string>();
  readonly #hosts: ReadonlySet<string>;
  readonly #cookieName: string;

  constructor(port: number) {
    this.#hosts = new Set([`127.0.0.1:${port}`, `localhost:${port}`]);
    // Cookies do not tell ports apart: two instances must not overwrite each other's.
    this.#cookieName = `longleaf-${port}`;
  }

  createKey(): string {
    const key = randomBytes(24).toString('base64url');
    this.#keys.add(key);
    return key;
  }

  /** The cookie for a key that was not used before. */
  redeem(key: string): string | undefined {
    if (!this.#keys.delete(key)) return undefined;
    return `${this.#cookieName}=${this.#secret}; Path=/; HttpOnly; SameSite=Strict`;
  }

  /** A page of another site that resolves its own name to 127.0.0.1 still sends that name as Host. */
  isLocal(request: IncomingMessage): boolean {
    return this.#hosts.has(request.headers.host ?? '');
  }

  /** Requests that change something or open the contract must come from our own page. */
  isSameOrigin(request: IncomingMessage): boolean {
    const { origin, host } = request.headers;
    return origin !== undefined && origin === `http://${host}`;
  }

  isKnown(request: IncomingMessage): boolean {
    for (const pair of (request.headers.cookie ?? '').split(';')) {
      const [name, value = ''] = pair.trim().split('=', 2);
      if (name === this.#cookieName && equal(value, this.#secret)) return true;
    }
    return false;
  }
}

function equal(left: string, right: string): boolean {
  const a = Buffer.from(left);
  const b = Buffer.from(right);
  return a.length === b.length && timingSafeEqual(a, b);
}
