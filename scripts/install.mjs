/** Installs the npm dependencies when what is in node_modules is not what package-lock.json asks for. */
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { rootFolder } from './paths.mjs';
import { run } from './processes.mjs';
import { Explained, say } from './say.mjs';

/**
 * @typedef {{version?: string, optional?: boolean, link?: boolean}} LockedPackage
 * @typedef {{packages: Record<string, LockedPackage>}} Lock
 */

export async function installIfNeeded() {
  if (dependenciesMatch()) return;
  const fresh = !existsSync(join(rootFolder, 'node_modules'));
  say(fresh ? 'installing dependencies (once, about a minute)…' : 'bringing dependencies up to date…');
  // `ci` empties node_modules first, which would pull the floor from under a Longleaf that is running, so it is
  // only for a fresh checkout. It refuses a lock file without the binaries of every platform, which is what npm
  // writes where a registry lags behind with some of them; `install` does not mind, and has the last word.
  if (fresh && (await npm('ci', [], { show: false })) === 0) return;
  if ((await npm('install', ['--no-save'], { show: true })) === 0) return;
  throw new Explained('npm could not install the dependencies (its own words are above). Check the network and start again.');
}

function dependenciesMatch() {
  const installed = readLock(join(rootFolder, 'node_modules', '.package-lock.json'));
  const wanted = readLock(join(rootFolder, 'package-lock.json'));
  if (!installed || !wanted) return false;
  return Object.entries(wanted.packages).every(([path, entry]) => {
    if (path === '') return true;
    const present = installed.packages[path];
    // What is optional and absent is for another platform.
    return present ? present.version === entry.version : entry.optional === true;
  });
}

/**
 * @param {string} path
 * @returns {Lock | undefined}
 */
function readLock(path) {
  return existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')) : undefined;
}

/**
 * Install scripts stay off: nothing here needs one, and a package cannot then run code on this machine just by being
 * installed.
 * @param {string} command
 * @param {string[]} options
 * @param {{show: boolean}} output
 */
async function npm(command, options, { show }) {
  // Packaging's tools warn of an older Node, which never runs them.
  const args = [command, ...options, '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'];
  const script = process.env.npm_execpath ?? npmBesideNode();
  const [program, ...leading] = script ? [process.execPath, script] : ['npm'];
  const { status } = await run(program, [...leading, ...args], { cwd: rootFolder, show });
  return status;
}

/** On Windows `npm` is a batch file, which cannot be spawned without a shell: its script can. */
function npmBesideNode() {
  const script = join(dirname(process.execPath), 'node_modules', 'npm', 'bin', 'npm-cli.js');
  return existsSync(script) ? script : undefined;
}
