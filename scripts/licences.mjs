/**
 * The licences of everything that people get: each npm package that is bundled or lies beside the bundle, with the text
 * of its licence, and the programs that come along. `node scripts/licences.mjs` lists them, with a count of each kind.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { rootFolder } from './paths.mjs';
import { Explained, runMain } from './say.mjs';

/**
 * @typedef {{name: string, version: string, licence: string, text: string, homepage: string | null}} Licence
 * @typedef {{version?: string, license?: string, dev?: boolean, devOptional?: boolean, optional?: boolean, os?: string[], dependencies?: Record<string, string>, peerDependencies?: Record<string, string>}} LockEntry
 */

/** Tools for tests that the lock file has among the optional dependencies. */
const notShipped = /^(@sparticuz\/|node-(linux|win|darwin|bin)-)/;

/** Licences under which everything may be passed on with its notice; another needs somebody to look at it first. */
const known = /^(MIT|MIT-0|ISC|0BSD|BSD|BSD-[23]-Clause|Apache-2\.0|OFL-1\.1|CC0-1\.0|Unlicense|BlueOak-1\.0\.0|Python-2\.0|Zlib|Public domain)$/;

/** @returns {Licence[]} by name */
export function collectLicences() {
  const { packages } = /** @type {{packages: Record<string, LockEntry>}} */ (JSON.parse(readFileSync(join(rootFolder, 'package-lock.json'), 'utf8')));
  const shipped = Object.entries(packages).filter(([path, entry]) => path !== '' && !entry.dev && !entry.devOptional && !notShipped.test(nameOf(path)));
  const found = shipped.flatMap(([path]) => {
    const folder = join(rootFolder, path);
    // An optional package of another platform is not installed, and not shipped.
    return existsSync(join(folder, 'package.json')) ? [licenceOf(folder)] : [];
  });
  const all = [...found, nodeLicence(), ...electronLicence(), sampleText];
  // A package may be installed at several places.
  return [...new Map(all.map((one) => [`${one.name} ${one.version}`, one])).values()].sort((a, b) => a.name.localeCompare(b.name));
}

/** What is not among the licences that need no second look. */
export function unknownLicences() {
  return collectLicences().filter(({ licence, text }) => !isKnown(licence) || text === '');
}

/**
 * Of licences between which one may choose, one is enough.
 * @param {string} expression as SPDX writes it
 * @returns {boolean}
 */
function isKnown(expression) {
  const plain = expression.replace(/^\((.*)\)$/, '$1');
  if (plain.includes(' OR ')) return plain.split(' OR ').some(isKnown);
  return plain.split(' AND ').every((licence) => known.test(licence));
}

/** @param {string} path as the lock file has it */
function nameOf(path) {
  return path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length);
}

/** @param {string} folder @returns {Licence} */
function licenceOf(folder) {
  const { name, version, license, homepage } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  const licence = typeof license === 'string' ? license : (license?.type ?? 'unknown');
  return { name, version, licence, text: licenceText(folder) || standardText(licence), homepage: homepage ?? null };
}

/** @param {string} folder */
function licenceText(folder) {
  const names = readdirSync(folder).filter((name) => /^(licen[cs]e|copying|notice|ofl)/i.test(name)).sort();
  return names.map((name) => readFileSync(join(folder, name), 'utf8').trim()).join('\n\n');
}

/**
 * A package without the file is under the usual text of the licence that it names.
 * @param {string} licence
 */
function standardText(licence) {
  return `This package comes without a file of its licence. It names “${licence}”: https://spdx.org/licenses/${licence}.html`;
}

/** The Node that host and GPU worker run on. @returns {Licence} */
function nodeLicence() {
  const folder = readdirSync(join(rootFolder, 'node_modules')).find((name) => /^node-(linux|win|darwin|bin)-/.test(name));
  const path = folder && join(rootFolder, 'node_modules', folder);
  const version = path ? JSON.parse(readFileSync(join(path, 'package.json'), 'utf8')).version : process.versions.node;
  const text = (path && licenceText(path)) || 'Node.js is under the MIT licence; its parts are under the licences listed at https://github.com/nodejs/node/blob/main/LICENSE';
  return { name: 'Node.js', version, licence: 'MIT', text, homepage: 'https://nodejs.org' };
}

/** The window, where it is installed. Those of Chromium fill a file of their own beside the app. @returns {Licence[]} */
function electronLicence() {
  const folder = join(rootFolder, 'node_modules', 'electron');
  if (!existsSync(folder)) return [];
  const { version } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  const text = `${licenceText(folder)}\n\nThe licences of Chromium lie in LICENSES.chromium.html beside the app.`;
  return [{ name: 'Electron', version, licence: 'MIT', text, homepage: 'https://www.electronjs.org' }];
}

/** @type {Licence} */
const sampleText = {
  name: 'Alice’s Adventures in Wonderland, chapter 1 (sample text)',
  version: '1865',
  licence: 'Public domain',
  text: 'By Lewis Carroll; in the public domain.',
  homepage: null,
};

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  await runMain(() => {
    const licences = collectLicences();
    const counts = new Map();
    for (const { licence } of licences) counts.set(licence, (counts.get(licence) ?? 0) + 1);
    for (const { name, version, licence } of licences) process.stdout.write(`${name} ${version}: ${licence}\n`);
    process.stdout.write(`\n${[...counts].map(([licence, count]) => `${licence}: ${count}`).join(', ')}\n`);
    const unknown = unknownLicences();
    if (unknown.length > 0) throw new Explained(`somebody has to look at: ${unknown.map(({ name, licence }) => `${name} (${licence})`).join(', ')}`);
    return Promise.resolve(0);
  });
}
