/** Where things are: the checkout, and the cache for what is fetched or measured once a machine. */
import { mkdirSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const rootFolder = dirname(dirname(fileURLToPath(import.meta.url)));
export const distFolder = join(rootFolder, 'dist');

/**
 * A folder of the cache, made private to this user if it is not there.
 * @param {...string} parts
 */
export function cacheFolder(...parts) {
  const folder = join(cacheRoot(), ...parts);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  return folder;
}

function cacheRoot() {
  const { LONGLEAF_CACHE, LOCALAPPDATA, XDG_CACHE_HOME } = process.env;
  if (LONGLEAF_CACHE) return LONGLEAF_CACHE;
  if (process.platform === 'win32' && LOCALAPPDATA) return join(LOCALAPPDATA, 'longleaf', 'cache');
  if (process.platform === 'darwin') return join(homedir(), 'Library', 'Caches', 'longleaf');
  return join(XDG_CACHE_HOME || join(homedir(), '.cache'), 'longleaf');
}
