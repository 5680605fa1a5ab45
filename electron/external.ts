/** Links that leave the app open in the system's browser, and only web links do. */
import { shell } from 'electron';
import { parseUrl } from './bundle.ts';

export function isWebLink(text: string): boolean {
  const url = parseUrl(text);
  return url?.protocol === 'https:' || url?.protocol === 'http:';
}

export async function openExternal(text: string): Promise<void> {
  if (!isWebLink(text)) throw new Error('Only http and https links are opened.');
  // The parsed form: what is opened is what was checked.
  await shell.openExternal(new URL(text).href);
}
