/** The stages of `npm test`, in order, and how each runs. */
import { mkdirSync, rmSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { chooseAdapter } from './adapter.mjs';
import { inDenyingNetwork } from './denyingNetwork.mjs';
import { rootFolder } from './paths.mjs';
import { handOver, run } from './processes.mjs';
import { Explained, say } from './say.mjs';
import { findTestBrowser } from './testBrowser.mjs';
import { findTestElectron } from './testElectron.mjs';
import { fetchTestModels } from './testModels.mjs';
import { playwrightCounts, vitestCounts } from './testReports.mjs';

/**
 * @typedef {import('./testReports.mjs').Counts} Counts
 * @typedef {{runtimeNode: string}} Context
 * @typedef {object} Stage
 * @property {string} name
 * @property {boolean} [onlyInCi] also runs elsewhere when it is asked for by name
 * @property {(context: Context) => Promise<Counts>} run throws `Explained` where the machine lacks something
 */

/** @type {Stage[]} */
export const stages = [
  { name: 'build', run: ({ runtimeNode }) => checked(runtimeNode, [join('scripts', 'build.mjs')]) },
  {
    name: 'types',
    run: async ({ runtimeNode }) => {
      const compiler = join('node_modules', 'typescript', 'bin', 'tsc');
      // The second knows only the language of the oldest browser that the interface runs in.
      const projects = ['.', 'renderer', 'scripts'];
      const counts = await Promise.all(projects.map((project) => checked(runtimeNode, [compiler, '-p', project])));
      return counts.reduce(add);
    },
  },
  // The import directions between folders are lint rules.
  { name: 'lint', run: ({ runtimeNode }) => checked(runtimeNode, [join('node_modules', 'oxlint', 'bin', 'oxlint'), '--deny-warnings']) },
  { name: 'unit', run: (context) => vitest(context, 'unit', {}) },
  { name: 'gpu', run: (context) => gpu(context, 'gpu') },
  {
    name: 'gpu-swiftshader',
    onlyInCi: true,
    run: (context) => withVariable('LONGLEAF_ADAPTER', 'swiftshader', () => gpu(context, 'gpu-swiftshader', ['engine/layers', 'engine/inspect'])),
  },
  {
    name: 'golden',
    run: async (context) => vitest(context, 'golden', { ...(await adapterEnvironment(context)), ...(await modelEnvironment()) }),
  },
  {
    name: 'chromium',
    run: async (context) => {
      const { executable, environment } = await findTestBrowser();
      const chromium = { ...environment, LONGLEAF_TEST_CHROMIUM: executable };
      return add(await playwright(context, 'chromium', chromium), await playwright(context, 'chromium-timed', chromium));
    },
  },
  {
    name: 'electron',
    run: async (context) => playwright(context, 'electron', { LONGLEAF_TEST_ELECTRON: await packagedApp(context) }),
  },
];

/**
 * @param {Context} context
 * @param {string} stage
 * @param {string[]} [filters] only test files whose path contains one of these
 */
async function gpu(context, stage, filters = []) {
  return vitest(context, 'gpu', await adapterEnvironment(context), filters, stage);
}

/**
 * @param {Context} context
 * @param {string} project
 * @param {NodeJS.ProcessEnv} environment
 * @param {string[]} [filters]
 * @param {string} [stage]
 * @returns {Promise<Counts>}
 */
async function vitest({ runtimeNode }, project, environment, filters = [], stage = project) {
  const report = reportFile(stage);
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`];
  const args = [join('node_modules', 'vitest', 'vitest.mjs'), 'run', '--project', project, `--maxWorkers=${filesAtOnce[project]}`, ...reporters, ...filters];
  const status = await handOver(runtimeNode, args, { cwd: rootFolder, env: { ...process.env, ...environment } });
  return vitestCounts(report, status, rootFolder);
}

/**
 * @param {Context} context
 * @param {string} project
 * @param {NodeJS.ProcessEnv} environment
 * @returns {Promise<Counts>}
 */
async function playwright(context, project, environment) {
  const report = reportFile(project);
  const env = {
    ...process.env,
    ...(await adapterEnvironment(context)),
    ...(await modelEnvironment()),
    ...joinLibraryPaths(await adapterEnvironment(context), environment),
    LONGLEAF_RUNTIME_NODE: context.runtimeNode,
    PLAYWRIGHT_JSON_OUTPUT_FILE: report,
  };
  const cli = join('node_modules', '@playwright', 'test', 'cli.js');
  const command = [context.runtimeNode, cli, 'test', `--project=${project}`, `--workers=${filesAtOnce[project]}`, '--reporter=list,json'];
  const [program, ...args] = await withoutNetwork(context.runtimeNode, project === 'electron' ? await onSomeDisplay(command) : command);
  const status = await handOver(program, args, { cwd: rootFolder, env });
  return playwrightCounts(report, status);
}

/**
 * Test files at a time. Vitest itself would leave a core free, which is half of a small machine. GPU tests compile
 * shaders on one core most of the time; the golden ones compute on all. A story in the browser waits as much as it
 * computes; where frames are timed, and under Electron, where answers to kills are, nothing runs beside.
 * @type {Record<string, number>}
 */
const filesAtOnce = { unit: Math.max(2, availableParallelism()), gpu: 2, golden: 1, chromium: 2, 'chromium-timed': 1, electron: 1 };

/**
 * The window is tested as people get it: packaged.
 * @param {Context} context
 */
async function packagedApp({ runtimeNode }) {
  await findTestElectron();
  const { status, stdout, stderr } = await run(runtimeNode, [join('scripts', 'package.mjs'), '--test'], { cwd: rootFolder });
  process.stderr.write(stderr);
  if (status !== 0) throw new Error('Longleaf could not be packaged (see above).');
  return stdout.trim().split('\n').at(-1) ?? '';
}

/**
 * The hub that the tests use is on this machine: nothing may need more. Where that cannot be enforced, it is said.
 * @param {string} runtimeNode
 * @param {string[]} command
 */
async function withoutNetwork(runtimeNode, command) {
  const denying = await inDenyingNetwork(runtimeNode, command);
  if ('command' in denying) return denying.command;
  say(`these tests run with the network of this machine: ${denying.obstacle}.`);
  return command;
}

/** @param {string[]} command */
async function onSomeDisplay(command) {
  if (process.platform !== 'linux' || process.env.DISPLAY) return command;
  const { status } = await run('xvfb-run', ['--help']);
  if (status !== 0) throw new Explained('there is no display, and no xvfb-run to make one.');
  return ['xvfb-run', '-a', '-s', '-screen 0 1600x1200x24 -noreset', ...command];
}

/** @param {Context} context */
async function adapterEnvironment({ runtimeNode }) {
  const { name, environment } = await chooseAdapter(runtimeNode);
  if (name === 'none') throw new Explained('there is no WebGPU adapter on this machine.');
  return environment;
}

async function modelEnvironment() {
  return { LONGLEAF_TEST_MODELS: process.env.LONGLEAF_TEST_MODELS ?? (await fetchTestModels()) };
}

/**
 * Browser and adapter may each bring libraries of their own.
 * @param {Record<string, string>} first
 * @param {NodeJS.ProcessEnv} second
 */
function joinLibraryPaths(first, second) {
  const paths = [first.LD_LIBRARY_PATH, second.LD_LIBRARY_PATH].filter(Boolean);
  return paths.length > 0 ? { ...second, LD_LIBRARY_PATH: paths.join(':') } : second;
}

/**
 * A check that passes or fails as a whole.
 * @param {string} command
 * @param {string[]} args
 * @returns {Promise<Counts>}
 */
async function checked(command, args) {
  const status = await handOver(command, args, { cwd: rootFolder });
  if (status === 0) return { passed: 1, failed: 0, skipped: 0, failures: [] };
  return { passed: 0, failed: 1, skipped: 0, failures: [`${args[0]} ended with ${status} (see above)`] };
}

/** @param {string} stage */
function reportFile(stage) {
  const folder = join(rootFolder, 'test-results', 'reports');
  mkdirSync(folder, { recursive: true });
  const file = join(folder, `${stage}.json`);
  rmSync(file, { force: true });
  return file;
}

/**
 * @param {Counts} first
 * @param {Counts} second
 */
function add(first, second) {
  return {
    passed: first.passed + second.passed,
    failed: first.failed + second.failed,
    skipped: first.skipped + second.skipped,
    failures: [...first.failures, ...second.failures],
  };
}

/**
 * @template T
 * @param {string} name
 * @param {string} value
 * @param {() => Promise<T>} body
 */
async function withVariable(name, value, body) {
  const before = process.env[name];
  process.env[name] = value;
  try {
    return await body();
  } finally {
    if (before === undefined) delete process.env[name];
    else process.env[name] = before;
  }
}
