/** The Electron that is packaged: an unpacked one that is here. Forge would fetch a zip of it, and gets an empty one. */
import { chmodSync, cpSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { rootFolder } from '../paths.mjs';
import { say } from '../say.mjs';
import { findTestElectron, testElectronVersion } from '../testElectron.mjs';

const installed = join(rootFolder, 'node_modules', 'electron');
const language = 'en-US';

/**
 * The one that npm has installed; the one for tests where that has no binary, and for tests.
 * @param {boolean} forTests
 */
export function electronVersion(forTests) {
  return isInstalled(forTests) ? String(JSON.parse(readFileSync(join(installed, 'package.json'), 'utf8')).version) : testElectronVersion;
}

/**
 * A folder with the zip that Forge looks for, which has nothing in it: `putElectron` fills what was extracted from it.
 * @param {string} folder
 * @param {string} version
 */
export function writeEmptyZip(folder, version) {
  mkdirSync(folder, { recursive: true });
  const endOfDirectory = Buffer.alloc(22);
  endOfDirectory.write('PK\x05\x06', 'latin1');
  writeFileSync(join(folder, `electron-v${version}-${process.platform}-${process.arch}.zip`), endOfDirectory);
}

/**
 * @param {string} folder where Electron is to lie
 * @param {boolean} forTests
 */
export async function putElectron(folder, forTests) {
  if (!forTests && !isInstalled(forTests)) say('Electron’s binary is not here: packaging with the one for tests, which is not for people.');
  const source = isInstalled(forTests) ? join(installed, 'dist') : join(await findTestElectron(), '..');
  cpSync(source, folder, { recursive: true, verbatimSymlinks: true });
  chmodSync(folder, 0o755);
  if (!isInstalled(forTests)) completeTestElectron(folder);
  const locales = join(folder, 'locales');
  if (!existsSync(locales)) return;
  for (const name of readdirSync(locales)) if (!name.startsWith(language)) rmSync(join(locales, name));
}

/**
 * The distribution for tests comes out of an AppImage: it gets the files of a plain one and loses those of its own.
 * @param {string} folder
 */
function completeTestElectron(folder) {
  for (const name of ['AppRun', '.DirIcon', 'fiftyone.desktop', 'fiftyone.png', 'usr']) rmSync(join(folder, name), { recursive: true, force: true });
  // It opens whatever it is told to by an app of its own; a packaged app opens its archive only.
  rmSync(join(folder, 'resources', 'app'), { recursive: true, force: true });
  renameSync(join(folder, 'LICENSE.electron.txt'), join(folder, 'LICENSE'));
  writeFileSync(join(folder, 'version'), testElectronVersion);
}

/** @param {boolean} forTests */
function isInstalled(forTests) {
  return !forTests && existsSync(join(installed, 'dist', 'version'));
}
