/** A folder of code or notes: every text file in it under its path, but what its `.gitignore` files leave out, `.git` and `node_modules`. */
import { lstat, readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import ignore, { type Ignore } from 'ignore';
import { HostError } from '../../errors.ts';
import { formatBytes, formatCount, quoted } from '../../wording.ts';
import { formatOfName } from './formats.ts';
import { FlowingText } from './flowingText.ts';
import { plural } from './refusals.ts';
import type { DocumentParser } from './source.ts';
import { decoded, recognise } from './textFile.ts';

export const folderLimits = { files: 20_000, totalBytes: 256_000_000, depth: 64 };
/** What programs fetch or keep there, whether a `.gitignore` says so or not. */
const neverRead = new Set(['.git', 'node_modules']);
/** A notice names that many files. */
const named = 5;

interface Rules {
  /** With a slash at its end, or empty. */
  base: string;
  rules: Ignore;
}

interface Found {
  path: string;
  bytes: number;
}

export const parseFolder: DocumentParser = async ({ path: root, name, onProgress }, writer) => {
  const files: Found[] = [];
  const links: string[] = [];
  await walk(root, '', [], files, links, name);
  const totalBytes = files.reduce((sum, { bytes }) => sum + bytes, 0);
  if (totalBytes > folderLimits.totalBytes) {
    throw new HostError('document-too-large', `${quoted(name)} holds ${formatBytes(totalBytes)} in ${formatCount(files.length)} files; Longleaf reads up to ${formatBytes(folderLimits.totalBytes)}.`, 'Choose a folder inside it, or leave files out with a .gitignore file.');
  }
  const notText: string[] = [];
  for (const [index, { path }] of files.entries()) {
    const recognition = await recognise(join(root, path));
    if (recognition.kind === 'binary') notText.push(path);
    else {
      await writer.openPage(path);
      await writer.add('heading', path, { level: 2 });
      const format = formatOfName(path);
      const text = new FlowingText(writer, format === 'markdown' || format === 'text' || format === 'csv' ? format : 'code', 0, null, '\n\n');
      for await (const piece of decoded(join(root, path), recognition)) await text.write(piece);
      await text.finish();
    }
    onProgress(index + 1, files.length);
  }
  const notices: string[] = [];
  if (notText.length > 0) notices.push(`${plural(notText.length, 'file that is not text was', 'files that are not text were')} left out: ${listed(notText)}.`);
  if (links.length > 0) notices.push(`${plural(links.length, 'link was', 'links were')} not followed: ${listed(links)}.`);
  return { format: 'folder', unit: 'file', notices };
};

async function walk(root: string, base: string, above: readonly Rules[], files: Found[], links: string[], name: string): Promise<void> {
  if (base.split('/').length > folderLimits.depth) return;
  const entries = (await readdir(join(root, base), { withFileTypes: true })).sort((a, b) => (a.name < b.name ? -1 : 1));
  const own = entries.some((entry) => entry.name === '.gitignore' && entry.isFile()) ? [{ base, rules: ignore().add(await readFile(join(root, base, '.gitignore'), 'utf8')) }] : [];
  const all = [...above, ...own];
  for (const entry of entries) {
    const path = base + entry.name;
    if (neverRead.has(entry.name) || isIgnored(all, entry.isDirectory() ? `${path}/` : path)) continue;
    if (entry.isSymbolicLink()) links.push(path);
    else if (entry.isDirectory()) await walk(root, `${path}/`, all, files, links, name);
    else if (entry.isFile()) files.push({ path, bytes: (await lstat(join(root, path))).size });
    if (files.length > folderLimits.files) {
      throw new HostError('document-too-large', `${quoted(name)} holds more than ${formatCount(folderLimits.files)} files.`, 'Choose a folder inside it, or leave files out with a .gitignore file.');
    }
  }
}

/** The innermost file that has something to say decides, as in Git. */
function isIgnored(all: readonly Rules[], path: string): boolean {
  for (const { base, rules } of all.toReversed()) {
    const { ignored, unignored } = rules.test(path.slice(base.length));
    if (ignored || unignored) return ignored;
  }
  return false;
}

function listed(paths: readonly string[]): string {
  const shown = paths.slice(0, named).join(', ');
  return paths.length > named ? `${shown} and ${paths.length - named} more` : shown;
}
