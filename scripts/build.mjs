/**
 * Builds dist/: the host and the GPU worker (ES modules), Electron's main and preload (CommonJS) and the
 * interface. Each part is built again only when the content of its sources changed.
 *
 *     node scripts/build.mjs           what is out of date
 *     node scripts/build.mjs --force   all of it
 */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { collectLicences } from './licences.mjs';
import { distFolder, rootFolder } from './paths.mjs';
import { run } from './processes.mjs';
import { Explained, runMain, say } from './say.mjs';
import { wasmForBundler } from './wasm.mjs';

/**
 * @typedef {object} Part
 * @property {string} name
 * @property {string[]} sources files and folders whose content decides whether it is up to date
 * @property {string} result a file that is there once it is built
 * @property {() => Promise<void>} build
 */

/** Threads that a bundle starts lie beside it. */
const threads = {
  'block-thread': 'host/memories/blockThreadEntry.ts',
  'copy-thread': 'host/gpu-worker/copyThreadEntry.ts',
  'template-thread': 'host/gpu-worker/templateThreadEntry.ts',
  'worker-thread': 'host/gpu-worker/workerThreadEntry.ts',
};

/** Half of the host's code, which nothing needs but a request to the outside. */
const outbound = { undici: 'host/downloads/undici.ts' };

/** What runs on Node, by the name of its bundle. */
const hostPrograms = {
  host: 'host/main.ts',
  'gpu-worker': 'host/gpu-worker/main.ts',
  ...threads,
  ...outbound,
  'llama-peer': 'host/peer/llamaPeerEntry.ts',
  'eval-process': 'host/eval/evalEntry.ts',
  'document-parser': 'host/documents/parser/main.ts',
  tiers: 'bench/tiers.ts',
};

/** Programs under bench/ that are run after a build; the truth bench and that of tiers are part of the host. */
const benchNames = ['attentionSweep', 'needle', 'choiceTimes', 'chunks', 'citations', 'copyTimes', 'farDecode', 'farGather', 'firstTokens', 'graph', 'inspection', 'kernelSweep', 'killedRead', 'library', 'layerTimes', 'liveAttention', 'load', 'longRead', 'mappedWrites', 'partTimes', 'planted', 'reopen', 'speedPage', 'stopLatency', 'sweep', 'tileTimes', 'unlimited'];

/** @type {Part[]} */
const parts = [
  {
    name: 'host',
    sources: ['assets', 'bench', 'engine', 'host', 'shaders', 'wasm', 'package-lock.json', 'scripts/build.mjs', 'scripts/licences.mjs', 'scripts/wasm.mjs'],
    result: 'host.js',
    build: async () => {
      await bundleForNode(distFolder, hostPrograms);
      writeFileSync(join(distFolder, 'licences.json'), JSON.stringify(collectLicences(), null, 1));
    },
  },
  {
    name: 'bench',
    sources: ['bench', 'engine', 'host', 'shaders', 'wasm', 'package-lock.json', 'scripts/build.mjs', 'scripts/wasm.mjs'],
    result: 'bench/needle.js',
    build: () => bundleForNode(join(distFolder, 'bench'), { ...namedEntries('bench', benchNames), ...threads, ...outbound }),
  },
  {
    name: 'electron',
    sources: ['electron', 'host/contract', 'package-lock.json', 'scripts/build.mjs'],
    result: 'electron/main.cjs',
    build: () =>
      bundle({
        entryPoints: { main: 'electron/main.ts', preload: 'electron/preload.ts' },
        outdir: join(distFolder, 'electron'),
        outExtension: { '.js': '.cjs' },
        format: 'cjs',
        platform: 'node',
        // The oldest Electron it has to run on is 22.
        target: ['node16', 'chrome108'],
        external: ['electron'],
      }),
  },
  {
    name: 'interface',
    sources: ['assets', 'renderer', 'host/contract', 'package-lock.json', 'scripts/build.mjs', 'vite.config.ts'],
    result: 'renderer/index.html',
    build: buildInterface,
  },
];

/**
 * @param {string} folder
 * @param {string[]} names
 */
function namedEntries(folder, names) {
  return Object.fromEntries(names.map((name) => [name, `${folder}/${name}.ts`]));
}

/**
 * Node's http, imported as a module, loads an undici of its own that nobody here uses; required, it does not.
 * @type {import('esbuild').Plugin}
 */
const requiredHttp = {
  name: 'required-http',
  setup(build) {
    build.onResolve({ filter: /^(node:)?http$/ }, ({ kind }) => (kind === 'import-statement' ? { path: 'http', namespace: 'required' } : undefined));
    build.onLoad({ filter: /.*/, namespace: 'required' }, () => ({ contents: "module.exports = require('node:http');" }));
  },
};

/** @type {import('esbuild').Plugin} */
const separateOutbound = {
  name: 'separate-outbound',
  setup(build) {
    build.onResolve({ filter: /\/undici\.ts$/ }, ({ kind }) => (kind === 'dynamic-import' ? { path: './undici.js', external: true } : undefined));
  },
};

/**
 * Bundles programs for the runtime Node. Dawn and llama.cpp are native code: they stay in node_modules.
 * @param {string} outdir
 * @param {Record<string, string>} entryPoints
 */
function bundleForNode(outdir, entryPoints) {
  return bundle({
    entryPoints,
    outdir,
    format: 'esm',
    platform: 'node',
    target: 'node22.15',
    external: ['webgpu', 'node-llama-cpp', 'usearch'],
    loader: { '.wgsl': 'text' },
    plugins: [wasmForBundler, requiredHttp, separateOutbound],
    // Bundled CommonJS packages call `require` for Node's own modules.
    banner: { js: "import { createRequire as requireFor } from 'node:module';\nconst require = requireFor(import.meta.url);" },
  });
}

/** The parts whose sources changed since they were built. */
export function stalePartNames() {
  return parts.filter(isStale).map(({ name }) => name);
}

/**
 * @param {boolean} force
 * @returns {Promise<number>} exit status
 */
async function build(force) {
  for (const part of parts) {
    if (!force && !isStale(part)) continue;
    const digest = sourcesDigest(part);
    const startMs = performance.now();
    await part.build();
    mkdirSync(distFolder, { recursive: true });
    writeFileSync(digestFile(part), digest);
    say(`built ${part.name} in ${((performance.now() - startMs) / 1000).toFixed(1)} s`);
  }
  return 0;
}

/** @param {import('esbuild').BuildOptions} options */
async function bundle(options) {
  // Loaded late, because start.mjs imports this file before dependencies are there.
  const esbuild = await import('esbuild');
  try {
    await esbuild.build({ ...options, absWorkingDir: rootFolder, bundle: true, sourcemap: 'linked', logLevel: 'warning' });
  } catch {
    throw new Explained('the build failed (see above).');
  }
}

async function buildInterface() {
  const vite = join(rootFolder, 'node_modules', 'vite', 'bin', 'vite.js');
  // React and its like are built for people, whoever asks for it: tests run with another NODE_ENV.
  const env = { ...process.env, NODE_ENV: 'production' };
  const { status, stdout, stderr } = await run(process.execPath, [vite, 'build', '--logLevel', 'warn'], { cwd: rootFolder, env });
  if (status !== 0) throw new Explained(`the interface could not be built:\n${stdout}${stderr}`);
}

/** @param {Part} part */
function isStale(part) {
  if (!existsSync(join(distFolder, part.result)) || !existsSync(digestFile(part))) return true;
  return readFileSync(digestFile(part), 'utf8') !== sourcesDigest(part);
}

/** @param {Part} part */
function digestFile(part) {
  return join(distFolder, `.${part.name}.digest`);
}

/** @param {Part} part */
function sourcesDigest(part) {
  const hash = createHash('sha256');
  for (const source of part.sources) addToDigest(hash, source);
  return hash.digest('hex');
}

/**
 * @param {import('node:crypto').Hash} hash
 * @param {string} source relative to the checkout
 */
function addToDigest(hash, source) {
  const path = join(rootFolder, source);
  if (!existsSync(path)) return;
  if (statSync(path).isDirectory()) {
    for (const name of readdirSync(path).sort()) addToDigest(hash, `${source}/${name}`);
  } else if (!/\.test\.tsx?$/.test(source)) {
    hash.update(`${source}\0`).update(readFileSync(path)).update('\0');
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  await runMain(() => build(process.argv.includes('--force')));
}
