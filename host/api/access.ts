/** Who may use the API: programs of this machine that have the key. Web pages never, whatever they know. */
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { ApiError } from './apiError.ts';

/** The key of the API, in a file that only its user can read. */
export class ApiKey {
  readonly #path: string;

  constructor(path: string) {
    this.#path = path;
  }

  /** Made when it is asked for first. */
  read(): string {
    const kept = existsSync(this.#path) ? readFileSync(this.#path, 'utf8').trim() : '';
    return kept === '' ? this.regenerate() : kept;
  }

  /** The old key is refused from then on. */
  regenerate(): string {
    const key = `ll-${randomBytes(32).toString('base64url')}`;
    writeFileSync(`${this.#path}.new`, key, { mode: 0o600 });
    renameSync(`${this.#path}.new`, this.#path);
    return key;
  }
}

/** @throws ApiError when the request comes from elsewhere, from a web page, or without the key. */
export function checkAccess(request: IncomingMessage, port: number, key: ApiKey): void {
  const { host, origin, authorization } = request.headers;
  // A page of another site that resolves its own name to 127.0.0.1 still sends that name as Host.
  if (host !== `127.0.0.1:${port}` && host !== `localhost:${port}`) {
    throw new ApiError(403, 'host_not_allowed', `The API answers at 127.0.0.1:${port} only.`);
  }
  if (origin !== undefined) throw new ApiError(403, 'origin_not_allowed', 'The API does not answer web pages: call it from a program.');
  const given = /^Bearer (.+)$/i.exec(authorization ?? '')?.[1] ?? '';
  if (!equal(given, key.read())) {
    const what = given === '' ? 'There is no API key in the request.' : 'This is not the API key.';
    throw new ApiError(401, 'invalid_api_key', `${what} It is shown in Longleaf’s settings; send it as “Authorization: Bearer KEY”.`);
  }
}

/** Takes the same time wherever the difference is. */
function equal(left: string, right: string): boolean {
  const [a, b] = [left, right].map((text) => createHash('sha256').update(text).digest());
  return timingSafeEqual(a as Buffer, b as Buffer);
}
