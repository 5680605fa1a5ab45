/** What a person writes or pastes for something at the hub: owner/name, owner/name:file, or an address. */
import { HostError } from '../errors.ts';

export interface HubReference {
  /** owner/name */
  repository: string;
  /** null: the repository's own choice, `main`. */
  revision: string | null;
  /** A path in the repository, or a label such as “Q4_K_M”. */
  file: string | null;
}

const bare = /^([\w.-]+\/[\w.-]+)(?:@([\w./-]+))?(?::(.+))?$/;

/** null when the text is neither: words to search for. Throws for addresses that are not at the hub. */
export function readReference(text: string, endpoint: URL): HubReference | null {
  const written = text.trim().replace(/^(hf\.co|huggingface\.co)\//, 'https://huggingface.co/');
  if (!/^https?:\/\//i.test(written)) {
    const [, repository, revision = null, file = null] = bare.exec(written) ?? [];
    return repository === undefined ? null : { repository, revision, file };
  }
  const url = URL.parse(written);
  const known = url && [endpoint.host, 'huggingface.co', 'hf.co', 'www.huggingface.co'].includes(url.host);
  if (!url || !known) {
    throw new HostError(
      'bad-request',
      `${url?.host ?? 'This address'} is not the hub that Longleaf fetches from (${endpoint.host}).`,
      'Download the file with a browser and import it, or set HF_ENDPOINT to a mirror of the hub.',
    );
  }
  const base = url.host === endpoint.host ? endpoint.pathname.replace(/\/$/, '') : '';
  const segments = url.pathname.slice(base.length).split('/').filter(Boolean).map(decodeURIComponent);
  const [owner, name, kind, revision, ...path] = segments;
  if (!owner || !name || owner === 'datasets' || owner === 'spaces') throw new HostError('bad-request', `${text} names no model.`, 'Paste the address of a model’s page or of one of its files.');
  const repository = `${owner}/${name}`;
  if (kind === undefined || !['blob', 'resolve', 'tree', 'raw'].includes(kind)) return { repository, revision: null, file: null };
  return { repository, revision: revision ?? null, file: path.length > 0 ? path.join('/') : null };
}
