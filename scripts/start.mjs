/**
 * `npm start`: gets everything ready that is not, then opens Longleaf, or runs a command of it.
 *
 *     npm start                             the window; in the browser where there is no Electron or no display
 *     npm start -- ask FILE "question"      a command; stdin, stdout and exit status are the command's own
 *
 * Runs on Node 20 with nothing installed: everything imported here uses Node's own modules only.
 */
import { join } from 'node:path';
import { chooseAdapter } from './adapter.mjs';
import { stalePartNames } from './build.mjs';
import { findElectron, missingDisplay, openWindow } from './desktop.mjs';
import { installIfNeeded } from './install.mjs';
import { distFolder, rootFolder } from './paths.mjs';
import { handOver, run } from './processes.mjs';
import { findRuntimeNode } from './runtimeNode.mjs';
import { Explained, runMain, say } from './say.mjs';

/**
 * @param {string[]} command
 * @returns {Promise<number>} exit status
 */
async function start(command) {
  await installIfNeeded();
  const runtimeNode = findRuntimeNode();
  await buildIfNeeded(runtimeNode);
  const adapter = await chooseAdapter(runtimeNode);
  const environment = { ...process.env, ...adapter.environment, LONGLEAF_RUNTIME_NODE: runtimeNode };
  if (command.length > 0) return runHost(runtimeNode, command, environment);

  say(`computing on ${adapter.description}`);
  if (adapter.environment.LONGLEAF_ADAPTER_ADVICE) say(adapter.environment.LONGLEAF_ADAPTER_ADVICE);
  const status = await openDesktop(environment);
  if (status !== undefined) return status;
  return runHost(runtimeNode, ['serve'], environment);
}

/**
 * @param {string} runtimeNode
 * @param {string[]} args
 * @param {NodeJS.ProcessEnv} environment
 */
function runHost(runtimeNode, args, environment) {
  // npm runs scripts in the checkout, but paths on the command line are relative to where the person is.
  const cwd = process.env.INIT_CWD ?? process.cwd();
  return handOver(runtimeNode, ['--enable-source-maps', join(distFolder, 'host.js'), ...args], { cwd, env: environment });
}

/** @param {string} runtimeNode */
async function buildIfNeeded(runtimeNode) {
  const stale = stalePartNames();
  if (stale.length === 0) return;
  say(`building ${stale.join(', ')}…`);
  // Vite needs a newer Node than the one that may be running this.
  const { status } = await run(runtimeNode, [join(rootFolder, 'scripts', 'build.mjs')], { cwd: rootFolder, show: true });
  if (status !== 0) throw new Explained('Longleaf could not be built (see above).');
}

/**
 * @param {NodeJS.ProcessEnv} environment
 * @returns {Promise<number | undefined>} exit status; undefined where the browser has to do
 */
async function openDesktop(environment) {
  const obstacle = missingDisplay();
  if (obstacle) {
    say(`no window, because ${obstacle}: the same interface is served to a browser.`);
    return undefined;
  }
  const electron = await findElectron();
  if (!electron) {
    say('Electron’s download site is out of reach: the same interface opens in your browser.');
    return undefined;
  }
  say('Longleaf is ready: opening its window. Close the window or press Ctrl-C to end.');
  const status = await openWindow(electron, environment);
  if (status === undefined) say('Electron could not open a window here: the same interface opens in your browser.');
  return status;
}

await runMain(() => start(process.argv.slice(2)));
