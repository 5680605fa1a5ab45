/**
 * `npm run package`: an unpacked Longleaf under out/, as installers carry it, with the size of each part.
 *
 *     npm run package               with the Electron that is installed; where there is none, with the one for tests
 *     npm run package -- --test     for the e2e suite: Electron for tests, and its main process can be inspected
 *     npm run make                  also this system's installers (AppImage and deb, nsis, dmg)
 *     npm run make -- --only deb    one of them: AppImage fetches electron-builder's tools, deb needs dpkg only
 *
 * Electron Forge does it, by forge.config.ts.
 */
import { existsSync, readdirSync, rmSync, statSync } from 'node:fs';
import { join, relative } from 'node:path';
import { pathToFileURL } from 'node:url';
import { budgetsMegabytes } from './packageConfig.mjs';
import { rootFolder } from './paths.mjs';
import { handOver, run } from './processes.mjs';
import { findRuntimeNode } from './runtimeNode.mjs';
import { Explained, runMain, say } from './say.mjs';

const outFolder = join(rootFolder, 'out');
const makerNames = ['AppImage', 'deb', 'nsis', 'dmg'];

/**
 * @param {{forTests: boolean, makers: string[]}} options makers: the installers that are wanted
 * @returns {Promise<string[]>} the installers, and last the executable
 */
export async function packageApp({ forTests, makers }) {
  await build();
  const outDir = join(outFolder, forTests ? 'packaged-test' : 'packaged');
  rmSync(outDir, { recursive: true, force: true });
  if (forTests) process.env.LONGLEAF_PACKAGE = 'test';
  const { api } = await import('@electron-forge/core');
  const [packaged] = await api.package({ dir: rootFolder, outDir });
  rmSync(join(outFolder, forTests ? 'stage-test' : 'stage'), { recursive: true, force: true });
  reportSizes(packaged.packagedPath);
  const made = makers.length > 0 ? await make(outDir, makers) : [];
  return [...made, join(packaged.packagedPath, executableName())];
}

/**
 * @param {string} outDir
 * @param {string[]} wanted
 */
async function make(outDir, wanted) {
  const { api } = await import('@electron-forge/core');
  const { default: config } = await import('../forge.config.ts');
  const overrideTargets = config.makers?.filter((maker) => wanted.includes(/** @type {{name: string}} */ (maker).name));
  const results = await api.make({ dir: rootFolder, outDir, fromPackage: true, overrideTargets });
  const files = results.flatMap(({ artifacts }) => artifacts);
  for (const file of files) say(`${relative(outDir, file)}: ${(size(file) / 1e6).toFixed(1)} MB`);
  return files;
}

async function build() {
  const { status, stderr } = await run(process.execPath, [join(rootFolder, 'scripts', 'build.mjs')], { cwd: rootFolder });
  if (status !== 0) throw new Explained(`the build failed: ${stderr.trim()}`);
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

function executableName() {
  if (process.platform === 'win32') return 'Longleaf.exe';
  return process.platform === 'darwin' ? join('Longleaf.app', 'Contents', 'MacOS', 'Longleaf') : 'longleaf';
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

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  await runMain(async () => {
    const options = process.argv.slice(2);
    const has = (/** @type {string} */ flag) => options.includes(flag);
    // Forge needs a current Node.
    const node = findRuntimeNode();
    if (node !== process.execPath) return handOver(node, process.argv.slice(1), { cwd: rootFolder });
    const only = has('--only') ? [options[options.indexOf('--only') + 1]] : makerNames;
    const files = await packageApp({ forTests: has('--test'), makers: has('--make') || has('--only') ? only : [] });
    process.stdout.write(`${files.join('\n')}\n`);
    return 0;
  });
}
