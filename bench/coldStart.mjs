/**
 * From the start of the desktop app to a window that one can use, beside a window of the same Electron with nothing in
 * it, in turn; then what the app takes while nobody does anything:
 *
 *     node bench/coldStart.mjs APP [--rounds N] [--idle-seconds N]      APP: the executable that `npm run package -- --test` prints
 *
 * Needs a display (`xvfb-run -a node bench/coldStart.mjs …`). Prints one JSON object: medians, their ratio, processor
 * time by process while idle, and memory by process (what it shares counts in parts).
 */
import { cpSync, linkSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { createPackage } from '@electron/asar';
import { _electron } from 'playwright';
import { isUsable } from './usableWindow.mjs';

const { positionals, values } = parseArgs({ allowPositionals: true, options: { rounds: { type: 'string', default: '7' }, 'idle-seconds': { type: 'string', default: '20' } } });
const [app = ''] = positionals;
const rounds = Number(values.rounds);
const idleSeconds = Number(values['idle-seconds']);
const settleSeconds = 10;
const clockTicksPerSecond = 100;
const root = mkdtempSync(join(tmpdir(), 'longleaf-start-'));

/** The same executable with an app that opens a window and nothing else. */
async function makeEmptyApp() {
  const folder = join(root, 'empty');
  linkTree(dirname(app), folder, (path) => path === join(dirname(app), 'resources'));
  const source = join(root, 'source');
  mkdirSync(source);
  writeFileSync(join(source, 'package.json'), JSON.stringify({ name: 'empty', version: '1.0.0', main: 'main.cjs' }));
  writeFileSync(
    join(source, 'main.cjs'),
    `const { app, BrowserWindow } = require('electron');
     app.whenReady().then(() => new BrowserWindow({ width: 1280, height: 860, webPreferences: { sandbox: true, contextIsolation: true } }).loadURL('data:text/html,<main><h1>Empty</h1></main>'));`,
  );
  mkdirSync(join(folder, 'resources'));
  await createPackage(source, join(folder, 'resources', 'app.asar'));
  return join(folder, basename(app));
}

function linkTree(from, to, isLeftOut) {
  mkdirSync(to);
  for (const name of readdirSync(from)) {
    const path = join(from, name);
    if (isLeftOut(path)) continue;
    if (statSync(path).isDirectory()) linkTree(path, join(to, name), isLeftOut);
    else linkOrCopy(path, join(to, name));
  }
}

function linkOrCopy(from, to) {
  try {
    linkSync(from, to);
  } catch {
    cpSync(from, to);
  }
}

async function launch(executablePath) {
  const data = mkdtempSync(join(root, 'data-'));
  const flags = process.getuid?.() === 0 ? ['--no-sandbox'] : [];
  const begunMs = performance.now();
  const application = await _electron.launch({ executablePath, args: [...flags, `--user-data-dir=${join(data, 'electron')}`], env: { ...process.env, LONGLEAF_DATA: data } });
  const page = await application.firstWindow();
  await page.waitForFunction(isUsable);
  return { application, startMs: performance.now() - begunMs };
}

/** A process and what came of it. */
function tree(processId) {
  const children = readFileSync(`/proc/${processId}/task/${processId}/children`, 'utf8').trim().split(' ').filter(Boolean).map(Number);
  return [processId, ...children.flatMap(tree)];
}

function nameOf(processId) {
  // Chromium's own processes have their words in one.
  const command = readFileSync(`/proc/${processId}/cmdline`, 'utf8').split(/[\0 ]/);
  const type = command.find((part) => part.startsWith('--type='))?.slice('--type='.length);
  if (command.some((part) => part.endsWith('host.js'))) return 'host';
  if (command.some((part) => part.endsWith('gpu-worker.js'))) return 'GPU worker';
  return type ?? 'main';
}

function processorMs(processId) {
  const fields = readFileSync(`/proc/${processId}/stat`, 'utf8').split(') ')[1].split(' ');
  return ((Number(fields[11]) + Number(fields[12])) * 1000) / clockTicksPerSecond;
}

function memoryMegabytes(processId) {
  return Math.round(Number(/^Pss:\s+(\d+)/m.exec(readFileSync(`/proc/${processId}/smaps_rollup`, 'utf8'))?.[1] ?? 0) / 1000);
}

async function idle(executablePath) {
  const { application } = await launch(executablePath);
  await pause(settleSeconds * 1000);
  const processes = tree(application.process().pid);
  const before = processes.map(processorMs);
  await pause(idleSeconds * 1000);
  const report = processes.map((processId, i) => ({ process: nameOf(processId), processorMs: processorMs(processId) - before[i], memoryMegabytes: memoryMegabytes(processId) }));
  await application.close();
  const sum = (key) => report.reduce((total, one) => total + one[key], 0);
  return { seconds: idleSeconds, processorShare: sum('processorMs') / (idleSeconds * 1000), memoryMegabytes: sum('memoryMegabytes'), processes: report };
}

const median = (numbers) => Math.round([...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)]);

const empty = await makeEmptyApp();
const startsMs = { empty: [], longleaf: [] };
for (let round = 0; round < rounds; round += 1) {
  for (const [name, executable] of [['empty', empty], ['longleaf', app]]) {
    const { application, startMs } = await launch(executable);
    startsMs[name].push(Math.round(startMs));
    await application.close();
  }
}
const medians = { emptyMs: median(startsMs.empty), longleafMs: median(startsMs.longleaf) };
const result = { bench: 'cold start', processor: cpus()[0]?.model, rounds, ...medians, ratio: Number((medians.longleafMs / medians.emptyMs).toFixed(2)), startsMs, idle: { empty: await idle(empty), longleaf: await idle(app) } };
console.log(JSON.stringify(result));
rmSync(root, { recursive: true, force: true });
