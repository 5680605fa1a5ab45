/** The results in a folder. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type CaseLine, parseCaseLines, withoutDuplicates } from '../../bench/truth/caseLines.ts';

/** All cases, whichever process wrote them. */
export function readCases(folder: string): CaseLine[] {
  const files = readdirSync(folder).filter((name) => /^cases.*\.jsonl$/.test(name)).sort();
  return withoutDuplicates(files.flatMap((name) => parseCaseLines(readFileSync(join(folder, name), 'utf8'))));
}
