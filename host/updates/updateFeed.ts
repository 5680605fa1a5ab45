/**
 * The feed of a publisher: one small JSON file on any web server, whose payload is signed with Ed25519 by a key that
 * the app carries. `feed` and `publicKey` (base64 of the key's DER form) stand in `assets/update-feed.json`.
 */
import { createPublicKey, type KeyObject, verify } from 'node:crypto';
import * as z from 'zod';
import configured from '../../assets/update-feed.json' with { type: 'json' };
import { HostError } from '../errors.ts';

export interface UpdateFeed {
  url: URL;
  publicKey: KeyObject;
}

const version = z.string().regex(/^\d{1,5}\.\d{1,5}\.\d{1,5}$/);
const signed = z.object({ payload: z.base64(), signature: z.base64() });
const release = z.object({
  format: z.literal(1),
  version,
  notes: z.string().max(20_000),
  files: z.array(
    z.object({
      /** As `${process.platform}-${process.arch}`. */
      platform: z.string(),
      /** A name beside the feed. */
      name: z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,120}$/),
      sizeBytes: z.number().int().positive(),
      sha256: z.string().regex(/^[0-9a-f]{64}$/),
    }),
  ),
});
export type Release = z.infer<typeof release>;

export function configuredFeed({ feed, publicKey }: { feed: string | null; publicKey: string | null } = configured): UpdateFeed | null {
  if (feed === null || publicKey === null) return null;
  return { url: new URL(feed), publicKey: createPublicKey({ key: Buffer.from(publicKey, 'base64'), format: 'der', type: 'spki' }) };
}

/** @throws `update-refused` where the text is not what the publisher signed. */
export function readRelease(text: string, publicKey: KeyObject): Release {
  const envelope = signed.safeParse(parsed(text));
  if (!envelope.success) throw refused('its feed is not one of Longleaf');
  const payload = Buffer.from(envelope.data.payload, 'base64');
  if (!verify(null, payload, publicKey, Buffer.from(envelope.data.signature, 'base64'))) throw refused('its signature is not the publisher’s');
  const read = release.safeParse(parsed(payload.toString('utf8')));
  if (!read.success) throw refused('it is described in a way that this version does not know');
  return read.data;
}

export function refused(why: string): HostError {
  return new HostError('update-refused', `The update was refused: ${why}.`, 'Nothing was changed. Get Longleaf from where you got it first, and tell its publisher.');
}

/** Negative: the first is older. */
export function compareVersions(first: string, second: string): number {
  const [a, b] = [first, second].map((text) => text.split(/[.-]/).slice(0, 3).map(Number));
  for (let i = 0; i < 3; i += 1) if (a?.[i] !== b?.[i]) return (a?.[i] ?? 0) - (b?.[i] ?? 0);
  return 0;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
