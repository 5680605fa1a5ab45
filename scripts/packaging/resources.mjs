/**
 * What lies beside the archive of a packaged app: the host with what it needs, and the Node it runs on. Dawn cannot be
 * loaded inside Electron, and Node cannot read the archive.
 */
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { distFolder, rootFolder } from '../paths.mjs';
import { packagedNode } from '../runtimeNode.mjs';

/** What lies in dist/ for the host; what measures stays. */
const belongsToHost = (/** @type {string} */ name) => name === 'licences.json' || (name.endsWith('.js') && name !== 'llama-peer.js');

/** @param {string} folder becomes what is to lie in the app's resources: `host` and `runtime` */
export function stageResources(folder) {
  rmSync(folder, { recursive: true, force: true });
  const host = join(folder, 'host');
  for (const name of readdirSync(distFolder).filter(belongsToHost)) copy(join(distFolder, name), join(host, 'dist', name));
  for (const name of subfolders(distFolder, ['bench', 'electron'])) copy(join(distFolder, name), join(host, 'dist', name), isNoMap);
  copy(join(rootFolder, 'assets'), join(host, 'assets'));
  const { name, version } = JSON.parse(readFileSync(join(rootFolder, 'package.json'), 'utf8'));
  writeFileSync(join(host, 'package.json'), JSON.stringify({ name, version, type: 'module' }, null, 2));

  const dawn = join(rootFolder, 'node_modules', 'webgpu');
  const platform = process.platform === 'darwin' ? 'darwin-universal' : `${process.platform}-${process.arch}`;
  for (const file of ['package.json', 'index.js', 'LICENSE.md', join('dist', platform)]) copy(join(dawn, file), join(host, 'node_modules', 'webgpu', file));

  const node = packagedNode();
  copy(node, join(folder, 'runtime', basename(node)));
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
