/** The licences of everything that is shipped, as the build collected them. */
import { existsSync, readFileSync } from 'node:fs';
import { methods, type MethodResult } from './contract/methods.ts';
import { HostError } from './errors.ts';
import { licencesFile } from './locations.ts';

export function readLicences(): MethodResult<'app.licences'> {
  const path = licencesFile();
  if (!existsSync(path)) throw new HostError('file-not-found', 'The list of licences is not there.', 'Build Longleaf anew: “node scripts/build.mjs” writes it.');
  return methods['app.licences'].result.parse(JSON.parse(readFileSync(path, 'utf8')));
}
