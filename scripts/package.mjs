/**
 * `npm run package`: an unpacked Longleaf under out/, as installers carry it, with the size of each part.
 *
 *     npm run package               with the Electron that is installed; where there is none, with the one for tests
 *     npm run package -- --test     for the e2e suite: Electron for tests, and its main process can be inspected
 *     npm run package -- --make     also this system's installers (AppImage and deb, nsis, dmg); fetches their tools
 *
 * The archive holds what runs inside Electron. What runs on Node lies beside it, with that Node: Dawn cannot be loaded
 * inside Electron, and Node cannot read the archive.
 */
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { builderConfiguration, budgetsMegabytes } from './packageConfig.mjs';
import { distFolder, rootFolder } from './paths.mjs';
import { run } from './processes.mjs';
import { packagedNode } from './runtimeNode.mjs';
import { Explained, runMain, say } from './say.mjs';
import { findTestElectron, testElectronVersion } from './testElectron.mjs';

const outFolder = join(rootFolder, 'out');
/** What lies in dist/ for the host; what measures stays. */
const belongsToHost = (/** @type {string} */ name) => name === 'licences.json' || (name.endsWith('.js') && name !== 'llama-peer.js');

/**
 * @param {{forTests: boolean, make: boolean}} options
 * @returns {Promise<string>} the executable
 */
export async function packageApp({ forTests, make }) {
  await build();
  // Not in the checkout, whose dependencies electron-builder would take for the app's.
  const stage = mkdtempSync(join(tmpdir(), 'longleaf-package-'));
  const appFolder = join(stage, 'app');
  const resourcesFolder = join(stage, 'resources');
  const outputFolder = join(outFolder, forTests ? 'packaged-test' : 'packaged');
  rmSync(outputFolder, { recursive: true, force: true });
  stageApp(appFolder);
  stageResources(resourcesFolder);

  const electron = await chooseElectron(forTests);
  const { build: buildWithBuilder, Platform } = await import('electron-builder');
  // Its own messages say which files it copies; ours say what has come of it.
  const messages = process.env.LONGLEAF_DEBUG ? undefined : silence();
  try {
    await buildWithBuilder({
      targets: Platform.current().createTarget(make ? undefined : 'dir'),
      config: { ...builderConfiguration({ appFolder, resourcesFolder, outputFolder, ...electron, forTests }), afterPack: removeLoader },
    });
  } finally {
    messages?.();
    rmSync(stage, { recursive: true, force: true });
  }
  const folder = unpackedFolder(outputFolder);
  reportSizes(folder);
  return join(folder, executableName());
}

/**
 * The distribution for tests opens whatever it is told to by an app of its own; a packaged app opens its archive only.
 * @param {{appOutDir: string}} context
 */
function removeLoader({ appOutDir }) {
  rmSync(join(appOutDir, 'resources', 'app'), { recursive: true, force: true });
}

async function build() {
  const { status, stderr } = await run(process.execPath, [join(rootFolder, 'scripts', 'build.mjs')], { cwd: rootFolder });
  if (status !== 0) throw new Explained(`the build failed: ${stderr.trim()}`);
}

/** @param {string} folder what goes into the archive */
function stageApp(folder) {
  copy(join(distFolder, 'electron'), join(folder, 'dist', 'electron'), isNoMap);
  copy(join(distFolder, 'renderer'), join(folder, 'dist', 'renderer'), isNoMap);
  copy(join(rootFolder, 'assets', 'icons', 'longleaf.png'), join(folder, 'assets', 'icons', 'longleaf.png'));
  const { name, productName, version, description, license, main } = readManifest();
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ name, productName, version, description, license, main, author: 'Longleaf' }, null, 2));
}

/** @param {string} folder what lies beside the archive */
function stageResources(folder) {
  const host = join(folder, 'host');
  for (const name of readdirSync(distFolder).filter(belongsToHost)) copy(join(distFolder, name), join(host, 'dist', name));
  for (const name of subfolders(distFolder, ['bench', 'electron', 'renderer'])) copy(join(distFolder, name), join(host, 'dist', name), isNoMap);
  copy(join(distFolder, 'renderer'), join(host, 'dist', 'renderer'), isNoMap);
  copy(join(rootFolder, 'assets'), join(host, 'assets'));
  const { name, version } = readManifest();
  writeFileSync(join(host, 'package.json'), JSON.stringify({ name, version, type: 'module' }, null, 2));

  const dawn = join(rootFolder, 'node_modules', 'webgpu');
  const platform = process.platform === 'darwin' ? 'darwin-universal' : `${process.platform}-${process.arch}`;
  const dawnTarget = join(host, 'node_modules', 'webgpu');
  for (const file of ['package.json', 'index.js', 'LICENSE.md', join('dist', platform)]) copy(join(dawn, file), join(dawnTarget, file));

  const node = packagedNode();
  copy(node, join(folder, 'runtime', basename(node)));
}

/**
 * @param {boolean} forTests
 * @returns {Promise<{electronVersion: string, electronFolder: string}>}
 */
async function chooseElectron(forTests) {
  const installed = join(rootFolder, 'node_modules', 'electron');
  if (!forTests && existsSync(join(installed, 'dist', 'version'))) {
    return { electronVersion: JSON.parse(readFileSync(join(installed, 'package.json'), 'utf8')).version, electronFolder: join(installed, 'dist') };
  }
  if (!forTests) say('Electron’s binary is not here: packaging with the one for tests, which is not for people.');
  return { electronVersion: testElectronVersion, electronFolder: join(await findTestElectron(), '..') };
}

/** @param {string} folder */
function reportSizes(folder) {
  const resources = join(folder, process.platform === 'darwin' ? join('Longleaf.app', 'Contents', 'Resources') : 'resources');
  const host = join(resources, 'host');
  const sizes = {
    Node: size(join(resources, 'runtime')),
    'Dawn (GPU)': size(join(host, 'node_modules')),
    'host and GPU worker': size(join(host, 'dist')) - size(join(host, 'dist', 'renderer')),
    interface: size(join(resources, 'app.asar')),
    'interface for browsers': size(join(host, 'dist', 'renderer')),
    assets: size(join(host, 'assets')),
  };
  const total = size(folder);
  const known = Object.values(sizes).reduce((sum, bytes) => sum + bytes, 0);
  const over = [];
  for (const [name, bytes] of Object.entries({ Electron: total - known, ...sizes })) {
    const budget = budgetsMegabytes[/** @type {keyof typeof budgetsMegabytes} */ (name)];
    say(`${name.padEnd(24)}${(bytes / 1e6).toFixed(1).padStart(8)} MB of ${budget}`);
    if (bytes > budget * 1e6) over.push(name);
  }
  say(`${'in all'.padEnd(24)}${(total / 1e6).toFixed(1).padStart(8)} MB in ${folder}`);
  if (over.length > 0) throw new Explained(`larger than its budget (scripts/packageConfig.mjs): ${over.join(', ')}.`);
}

/** @param {string} outputFolder */
function unpackedFolder(outputFolder) {
  const name = readdirSync(outputFolder).find((entry) => /unpacked$|^mac/.test(entry));
  if (!name) throw new Explained(`electron-builder left no unpacked app in ${outputFolder}.`);
  return join(outputFolder, name);
}

function executableName() {
  if (process.platform === 'win32') return 'Longleaf.exe';
  return process.platform === 'darwin' ? join('Longleaf.app', 'Contents', 'MacOS', 'Longleaf') : 'longleaf';
}

function readManifest() {
  return JSON.parse(readFileSync(join(rootFolder, 'package.json'), 'utf8'));
}

/**
 * @param {string} source
 * @param {string} target
 * @param {(path: string) => boolean} [filter]
 */
function copy(source, target, filter) {
  mkdirSync(join(target, '..'), { recursive: true });
  cpSync(source, target, { recursive: true, filter });
}

/** @param {string} path */
const isNoMap = (path) => !path.endsWith('.map');

/**
 * @param {string} folder
 * @param {string[]} without
 */
function subfolders(folder, without) {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => (entry.isDirectory() && !without.includes(entry.name) ? [entry.name] : []));
}

/**
 * Bytes of a file, or of everything in a folder; 0 for what is not there.
 * @param {string} path
 * @returns {number}
 */
function size(path) {
  if (!existsSync(path)) return 0;
  if (!statSync(path).isDirectory()) return statSync(path).size;
  return readdirSync(path).reduce((sum, name) => sum + size(join(path, name)), 0);
}

/** @returns {() => void} what lets messages through again */
function silence() {
  const { write } = process.stdout;
  process.stdout.write = () => true;
  return () => {
    process.stdout.write = write;
  };
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  await runMain(async () => {
    const has = (/** @type {string} */ flag) => process.argv.includes(flag);
    process.stdout.write(`${await packageApp({ forTests: has('--test'), make: has('--make') })}\n`);
    return 0;
  });
}
