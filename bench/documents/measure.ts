/**
 * How much of whole books the parsers find: the share of the known words that are there, in order, by GNU diff.
 *   node bench/documents/measure.ts FOLDER     (made by convert.sh)
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseFile } from '../../host/documents/addDocument.ts';
import { structureFile, textFile } from '../../host/documents/parser/parse.ts';
import { wordsOf } from '../../host/documents/testing/words.ts';

const [folder = '.'] = process.argv.slice(2);
const work = mkdtempSync(join(tmpdir(), 'longleaf-'));

for (const book of readdirSync(folder).filter((name) => name.endsWith('.txt'))) {
  const stem = book.slice(0, -'.txt'.length);
  const known = words(join(folder, book), join(work, 'known'));
  for (const format of ['.epub', '.docx', '.html', '.office.pdf', '.chromium.pdf']) {
    const path = join(folder, stem + format);
    const output = join(work, stem + format);
    mkdirSync(output);
    const startMs = performance.now();
    const document = await parseFile(path, stem + format, output);
    const seconds = Math.round(performance.now() - startMs) / 1000;
    const found = words(join(output, textFile), join(work, 'found'));
    // One word a line: what diff deletes from the known words was not found in its place.
    const diff = spawnSync('diff', ['--minimal', join(work, 'known'), join(work, 'found')], { maxBuffer: 2 ** 30, encoding: 'utf8' });
    const missing = diff.stdout.match(/^< /gm)?.length ?? 0;
    const added = diff.stdout.match(/^> /gm)?.length ?? 0;
    const { pages, notices } = document;
    const [fileBytes, structureBytes] = [path, join(output, structureFile)].map((each) => statSync(each).size);
    console.log(JSON.stringify({ document: stem + format, words: known, found, inOrder: (known - missing) / known, added: added / known, pages, seconds, fileBytes, structureBytes, notices }));
    rmSync(output, { recursive: true });
  }
}
rmSync(work, { recursive: true });

/** Writes a file's words one a line; how many there are. */
function words(from: string, to: string): number {
  const found = wordsOf(readFileSync(from, 'utf8'));
  writeFileSync(to, `${found.join('\n')}\n`);
  return found.length;
}
