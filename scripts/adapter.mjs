/**
 * Chooses the WebGPU adapter of this machine, without root: a GPU, else the fastest driver there is that computes on
 * the processor. The choice is a set of environment variables for the GPU worker and for the tests.
 *
 * `LONGLEAF_ADAPTER=gpu|lavapipe|swiftshader|swiftshader-npm` overrides it.
 */
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { cacheFolder, rootFolder } from './paths.mjs';
import { run } from './processes.mjs';
import { Explained } from './say.mjs';
import { unpackSparticuz } from './sparticuz.mjs';
import { softwareAdvice } from './adapterAdvice.mjs';

/**
 * @typedef {'gpu' | 'lavapipe' | 'swiftshader' | 'swiftshader-npm' | 'preset' | 'none'} AdapterName
 * @typedef {{vendor: string, architecture: string, description: string, software: boolean}} ProbeReport
 * @typedef {{name: AdapterName, description: string, environment: Record<string, string>}} AdapterChoice
 * @typedef {{name: AdapterName, accepts(report: ProbeReport): boolean, environment(): Promise<Record<string, string> | undefined>}} Candidate
 */

const probeTimeoutMs = 20_000;
const driverFolders = ['/usr/share/vulkan/icd.d', '/usr/local/share/vulkan/icd.d', '/etc/vulkan/icd.d'];
const chromiumFolders = [
  '/usr/lib/chromium',
  '/usr/lib/chromium-browser',
  '/usr/lib64/chromium-browser',
  '/opt/google/chrome',
  '/opt/microsoft/msedge',
];

/** Best first. @type {Candidate[]} */
const candidates = [
  { name: 'gpu', accepts: (report) => !report.software, environment: async () => ({}) },
  { name: 'gpu', accepts: (report) => !report.software, environment: headlessNvidia },
  {
    name: 'lavapipe',
    accepts: (report) => report.software,
    environment: async () => driverEnvironment(driverFiles().find((file) => /\/lvp_icd[^/]*\.json$/.test(file))),
  },
  {
    name: 'swiftshader',
    accepts: (report) => report.software,
    environment: async () => {
      const folder = chromiumFolders.find((candidate) => existsSync(join(candidate, 'vk_swiftshader_icd.json')));
      return folder ? driverEnvironment(join(folder, 'vk_swiftshader_icd.json'), folder) : undefined;
    },
  },
  {
    name: 'swiftshader-npm',
    accepts: (report) => report.software,
    environment: async () => {
      const folder = await unpackSparticuz('swiftshader.tar.br');
      return folder ? driverEnvironment(join(folder, 'vk_swiftshader_icd.json'), folder) : undefined;
    },
  },
];

/**
 * The adapter to use and the environment that leads to it. Probing takes a second or two and is remembered until
 * drivers, devices or versions change.
 * @param {string} runtimeNode
 * @returns {Promise<AdapterChoice>}
 */
export async function chooseAdapter(runtimeNode) {
  const override = process.env.LONGLEAF_ADAPTER || undefined;
  const memory = join(cacheFolder('adapters'), `${machineFingerprint(runtimeNode)}.json`);
  const choice = recall(memory) ?? (await search(runtimeNode, override));
  if (choice.name !== 'none') writeFileSync(memory, JSON.stringify(choice));
  return {
    ...choice,
    environment: {
      ...runtimeFolder(),
      ...choice.environment,
      LONGLEAF_ADAPTER: choice.name,
      LONGLEAF_ADAPTER_ADVICE: softwareAdvice(choice.name) ?? '',
    },
  };
}

/**
 * @param {string} runtimeNode
 * @param {string | undefined} override
 * @returns {Promise<AdapterChoice>}
 */
async function search(runtimeNode, override) {
  for (const candidate of candidatesFor(override)) {
    const environment = await candidate.environment();
    if (!environment) continue;
    const report = await probe(runtimeNode, environment);
    if (report && candidate.accepts(report)) return { name: candidate.name, description: report.description, environment };
  }
  if (override) throw new Explained(`LONGLEAF_ADAPTER=${override}: there is no such adapter on this machine.`);
  return { name: 'none', description: 'none', environment: {} };
}

/**
 * @param {string | undefined} override
 * @returns {Candidate[]}
 */
function candidatesFor(override) {
  /** @type {Candidate} */
  const preset = { name: 'preset', accepts: () => true, environment: async () => ({}) };
  if (override && override !== 'preset' && override !== 'none') {
    const wanted = candidates.filter(({ name }) => name === override);
    if (wanted.length > 0) return wanted;
    throw new Explained(`LONGLEAF_ADAPTER is “${override}”; it can be ${[...new Set(candidates.map(({ name }) => name))].join(', ')}.`);
  }
  // Whoever has pointed the Vulkan loader somewhere wants that.
  if (process.env.VK_DRIVER_FILES || process.env.VK_ICD_FILENAMES) return [preset];
  // Elsewhere than on Linux the system's own driver is the only one, software or not.
  return process.platform === 'linux' ? candidates : [candidates[0], preset];
}

/**
 * @param {string} runtimeNode
 * @param {Record<string, string>} environment
 * @returns {Promise<ProbeReport | undefined>}
 */
async function probe(runtimeNode, environment) {
  const { status, stdout } = await run(runtimeNode, [join(rootFolder, 'scripts', 'adapterProbe.mjs')], {
    env: { ...process.env, ...runtimeFolder(), ...environment },
    timeoutMs: probeTimeoutMs,
  });
  return status === 0 ? (JSON.parse(stdout) ?? undefined) : undefined;
}

/**
 * NVIDIA's own driver file names its GLX library, which finds no GPU on a server without a display; its EGL library does.
 * Such a server may have no Vulkan loader either.
 */
async function headlessNvidia() {
  if (!namesIn('/dev').includes('nvidiactl')) return undefined;
  const file = join(cacheFolder('drivers'), 'nvidia_egl_icd.json');
  writeFileSync(file, JSON.stringify({ file_format_version: '1.0.1', ICD: { library_path: 'libEGL_nvidia.so.0', api_version: '1.4.312' } }));
  return driverEnvironment(file, await unpackSparticuz('swiftshader.tar.br'));
}

/**
 * @param {string | undefined} driverFile
 * @param {string} [libraryFolder] holds the Vulkan loader, for machines that have none
 */
function driverEnvironment(driverFile, libraryFolder) {
  if (!driverFile) return undefined;
  /** @type {Record<string, string>} */
  const environment = { VK_DRIVER_FILES: driverFile };
  if (libraryFolder && existsSync(join(libraryFolder, 'libvulkan.so.1'))) {
    environment.LD_LIBRARY_PATH = [libraryFolder, process.env.LD_LIBRARY_PATH].filter(Boolean).join(':');
  }
  return environment;
}

/** Vulkan drivers warn, on every start, when this is not set. */
function runtimeFolder() {
  /** @type {Record<string, string>} */
  const environment = {};
  if (process.platform === 'linux' && !process.env.XDG_RUNTIME_DIR) environment.XDG_RUNTIME_DIR = cacheFolder('runtime');
  return environment;
}

function driverFiles() {
  return driverFolders.flatMap((folder) => namesIn(folder).map((name) => join(folder, name)));
}

/** @param {string} folder */
function namesIn(folder) {
  return existsSync(folder) ? readdirSync(folder).sort() : [];
}

/**
 * Changes whenever a probe might find something else.
 * @param {string} runtimeNode
 */
function machineFingerprint(runtimeNode) {
  const webgpu = JSON.parse(readFileSync(join(rootFolder, 'node_modules', 'webgpu', 'package.json'), 'utf8'));
  const { LONGLEAF_ADAPTER, VK_DRIVER_FILES, VK_ICD_FILENAMES, LD_LIBRARY_PATH } = process.env;
  const files = [
    ...driverFiles(),
    ...chromiumFolders.map((folder) => join(folder, 'vk_swiftshader_icd.json')),
    '/proc/driver/nvidia/version',
    '/etc/os-release',
  ];
  const parts = {
    node: [runtimeNode, process.platform, process.arch],
    webgpu: webgpu.version,
    variables: [LONGLEAF_ADAPTER, VK_DRIVER_FILES, VK_ICD_FILENAMES, LD_LIBRARY_PATH],
    drivers: files.filter((file) => existsSync(file)).map((file) => [file, statSync(file).mtimeMs]),
    devices: [namesIn('/dev/dri'), namesIn('/dev').filter((name) => name.startsWith('nvidia'))],
  };
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 24);
}

/**
 * @param {string} memory
 * @returns {AdapterChoice | undefined}
 */
function recall(memory) {
  if (!existsSync(memory)) return undefined;
  const choice = JSON.parse(readFileSync(memory, 'utf8'));
  const driverFile = choice.environment.VK_DRIVER_FILES;
  return driverFile && !existsSync(driverFile) ? undefined : choice;
}
