/** Electron for `npm start`: finds it or fetches it in bounded time, and opens the window with it. */
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { cacheFolder, rootFolder } from './paths.mjs';
import { handOver, run } from './processes.mjs';
import { say } from './say.mjs';

const electronFolder = join(rootFolder, 'node_modules', 'electron');
const reachTimeoutMs = 10_000;
const downloadTimeoutMs = 10 * 60_000;
/** How long "its download site is out of reach" is believed before it is tried again. */
const retryAfterMs = 24 * 60 * 60_000;
/** An Electron that ends this soon, and not well, could not open a window at all. */
const earlyEndMs = 15_000;

/**
 * Why no window can be opened here, or undefined.
 * @returns {string | undefined}
 */
export function missingDisplay() {
  const { DISPLAY, WAYLAND_DISPLAY } = process.env;
  if (process.platform !== 'linux' || DISPLAY || WAYLAND_DISPLAY) return undefined;
  return 'there is no display';
}

/**
 * The Electron executable, fetched if need be; undefined where it cannot be had.
 * @returns {Promise<string | undefined>}
 */
export async function findElectron() {
  const present = installedElectron();
  if (present) return present;
  if (!existsSync(electronFolder)) return undefined;
  const { version } = JSON.parse(readFileSync(join(electronFolder, 'package.json'), 'utf8'));
  const failureMark = join(cacheFolder(), `electron-${version}-out-of-reach`);
  if (existsSync(failureMark) && Date.now() - statSync(failureMark).mtimeMs < retryAfterMs) return undefined;

  if (await downloadSiteAnswers(version)) {
    say(`fetching Electron ${version} (once, about 110 MB)…`);
    const { status } = await run(process.execPath, [join(electronFolder, 'install.js')], { timeoutMs: downloadTimeoutMs });
    if (status === 0) return installedElectron();
  }
  writeFileSync(failureMark, '');
  return undefined;
}

function installedElectron() {
  const pathFile = join(electronFolder, 'path.txt');
  if (!existsSync(pathFile)) return undefined;
  const executable = join(electronFolder, 'dist', readFileSync(pathFile, 'utf8'));
  return existsSync(executable) ? executable : undefined;
}

/**
 * A firewall that swallows packets would make the download itself hang for minutes: ask briefly first.
 * @param {string} version
 */
async function downloadSiteAnswers(version) {
  const mirror = process.env.ELECTRON_MIRROR ?? process.env.npm_config_electron_mirror;
  const base = mirror ?? 'https://github.com/electron/electron/releases/download/';
  try {
    const url = new URL(`v${version}/SHASUMS256.txt`, base);
    const response = await fetch(url, { method: 'HEAD', signal: AbortSignal.timeout(reachTimeoutMs) });
    return response.ok;
  } catch {
    return false;
  }
}

/**
 * Opens the window and waits for it to be closed.
 * @param {string} executable
 * @param {NodeJS.ProcessEnv} environment
 * @returns {Promise<number | undefined>} the exit status; undefined when no window could be opened
 */
export async function openWindow(executable, environment) {
  const startMs = performance.now();
  // Chromium refuses to run its sandbox as root.
  const flags = process.getuid?.() === 0 ? ['--no-sandbox'] : [];
  const status = await handOver(executable, [...flags, rootFolder], { env: environment });
  return status !== 0 && performance.now() - startMs < earlyEndMs ? undefined : status;
}
