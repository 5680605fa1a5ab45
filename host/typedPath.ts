/** Files and folders by their path: in a browser, which has no dialog that could name those of this machine. */
import { homedir } from 'node:os';
import { isAbsolute, join, resolve } from 'node:path';
import { HostError } from './errors.ts';

/** A path as a person types it. @throws `bad-request` */
export function typedPath(path: string): string {
  const written = path.trim();
  const whole = written === '~' || /^~[\\/]/.test(written) ? join(homedir(), written.slice(1)) : written;
  if (isAbsolute(whole)) return resolve(whole);
  throw new HostError('bad-request', `“${path}” is not a whole path.`, 'Write it from the root on, as in /mnt/large/Longleaf.');
}

/** Of a window that has a dialog, and so has no business with paths. */
export function pathsNotTaken(): HostError {
  return new HostError('bad-request', 'Files and folders are chosen in a dialog here.', 'Choose it again.');
}
