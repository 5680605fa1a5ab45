/** The address of a proxy, as a person writes it. */
import { HostError } from '../errors.ts';

/** “proxy.example:3128” means http. @throws `bad-request` */
export function readProxy(address: string): string {
  const url = URL.parse(/^[a-z][a-z0-9+.-]*:\/\//i.test(address) ? address : `http://${address}`);
  if (url && (url.protocol === 'http:' || url.protocol === 'https:') && url.hostname !== '') return url.href;
  throw new HostError('bad-request', 'The address of the proxy cannot be read.', 'Write it as http://host:port.');
}

/** Names and passwords in addresses do not belong into messages. */
export function hideCredentials(text: string): string {
  return text.replaceAll(/\/\/[^/\s@]+@/g, '//');
}
