/**
 * A window that is used for long: hundreds of chats shown one after another, searches, settings opened and closed.
 *
 *     node bench/windowSoak.mjs FOLDER [--app EXECUTABLE] [--switches 400] [--parts 8]
 *
 * FOLDER: a library with chats, as `dist/bench/library.js --keep` leaves it in FOLDER/full. In a browser, served by
 * dist/host.js, or with `--app` in the packaged app (then on a display: `xvfb-run -a …`). After each part, garbage is
 * collected (in the host only when it serves a browser); then the interface's JavaScript heap, its nodes and listeners,
 * and what the host and Electron's main process hold are printed, a line each, and at the end how much the last quarter's
 * median is above the second's.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { _electron, chromium } from 'playwright';
import { findRuntimeNode } from '../scripts/runtimeNode.mjs';
import { findTestBrowser } from '../scripts/testBrowser.mjs';

const { positionals, values } = parseArgs({ allowPositionals: true, options: { app: { type: 'string' }, switches: { type: 'string', default: '400' }, parts: { type: 'string', default: '8' } } });
const [folder = '.'] = positionals;
const parts = Number(values.parts);
const switchesOfAPart = Math.ceil(Number(values.switches) / parts);
const searchEvery = 10;
const settingsEvery = 25;

async function inBrowser() {
  const { executable, environment } = await findTestBrowser();
  const host = spawn(findRuntimeNode(), ['--inspect=127.0.0.1:0', 'dist/host.js', 'serve', '--no-open', '--port', '0', '--json', '--data', folder], { stdio: ['ignore', 'pipe', 'pipe'] });
  const inspector = connectInspector(host.stderr);
  const url = await new Promise((resolve) => {
    createInterface({ input: host.stdout }).on('line', (line) => {
      const event = JSON.parse(line);
      if (event.event === 'serving') resolve(event.url);
    });
  });
  const browser = await chromium.launch({ executablePath: executable, env: { ...process.env, ...environment } });
  const page = await (await browser.newContext({ viewport: { width: 1280, height: 860 } })).newPage();
  await page.goto(url);
  const ownMemory = async () => {
    const { ask } = await inspector;
    for (let collection = 0; collection < 3; collection += 1) await ask('HeapProfiler.collectGarbage');
    const { result } = await ask('Runtime.evaluate', { expression: 'process.memoryUsage().heapUsed' });
    return { hostHeapMegabytes: result.value / 1e6 };
  };
  const close = async () => {
    await browser.close();
    // A process that is inspected waits at its end.
    (await inspector).disconnect();
    const ended = once(host, 'exit');
    host.kill('SIGTERM');
    await ended;
  };
  return { page, processes: () => ({ host: host.pid }), ownMemory, close };
}

/** Node says on stderr where its inspector listens; resolves to a function that asks it, and one that leaves it. */
async function connectInspector(stderr) {
  const address = await new Promise((resolve) => {
    createInterface({ input: stderr }).on('line', (line) => {
      const [, found] = /^Debugger listening on (ws:\S+)/.exec(line) ?? [];
      if (found) resolve(found);
      else console.error(line);
    });
  });
  const socket = new WebSocket(address);
  const waiting = new Map();
  socket.addEventListener('message', ({ data }) => {
    const { id, result } = JSON.parse(data);
    waiting.get(id)?.(result);
  });
  await once(socket, 'open');
  let last = 0;
  const ask = (method, params = {}) =>
    new Promise((resolve) => {
      waiting.set((last += 1), resolve);
      socket.send(JSON.stringify({ id: last, method, params }));
    });
  return { ask, disconnect: () => socket.close() };
}

async function inApp(executablePath) {
  const flags = process.getuid?.() === 0 ? ['--no-sandbox'] : [];
  const application = await _electron.launch({ executablePath, args: [...flags, `--user-data-dir=${mkdtempSync(join(tmpdir(), 'longleaf-window-'))}`], env: { ...process.env, LONGLEAF_DATA: folder } });
  const page = await application.firstWindow();
  const main = application.process().pid;
  const host = childrenOf(main).find((processId) => readFileSync(`/proc/${processId}/cmdline`, 'utf8').includes('host.js'));
  /** Of JavaScript objects in Electron's main process. */
  const ownMemory = () =>
    application.evaluate(() => {
      process.mainModule.require('v8').setFlagsFromString('--expose-gc');
      process.mainModule.require('vm').runInNewContext('gc')();
      return { mainHeapMegabytes: process.memoryUsage().heapUsed / 1e6 };
    });
  return { page, processes: () => ({ host, main }), ownMemory, close: () => application.close() };
}

function childrenOf(processId) {
  const children = readFileSync(`/proc/${processId}/task/${processId}/children`, 'utf8').trim().split(' ').filter(Boolean).map(Number);
  return children.flatMap((child) => [child, ...childrenOf(child)]);
}

/** Shows another chat; the list has only rows that can be seen. */
async function showChat(page, number) {
  const rows = page.getByRole('list', { name: 'Conversations' }).locator('button[data-row]');
  await rows.nth(number % (await rows.count())).click();
  await page.getByTestId('answer').first().waitFor();
}

/** What draws them is loaded with the first, a megabyte that stays: before anything is measured. */
async function showFormulas(page) {
  await page.getByRole('list', { name: 'Conversations' }).getByText('A thousand messages').click();
  await page.locator('.katex').first().waitFor();
}

async function search(page, number) {
  await page.keyboard.press('ControlOrMeta+Shift+f');
  const field = page.getByRole('combobox', { name: 'Search chats and documents' });
  await field.fill(`mark${number % 100}`);
  await page.getByTestId('search-result').first().waitFor();
  await page.keyboard.press('Escape');
  await field.waitFor({ state: 'hidden' });
}

/** The next chat takes their place. */
async function openSettings(page) {
  await page.keyboard.press('ControlOrMeta+,');
  await page.getByRole('heading', { name: 'Settings', exact: true }).waitFor();
}

async function measure(session, { processes, ownMemory }) {
  const own = await ownMemory();
  for (let collection = 0; collection < 3; collection += 1) await session.send('HeapProfiler.collectGarbage');
  const { metrics } = await session.send('Performance.getMetrics');
  const metric = (name) => metrics.find((one) => one.name === name)?.value ?? Number.NaN;
  const held = Object.entries(processes()).flatMap(([name, processId]) => [
    [`${name}ResidentMegabytes`, Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${processId}/status`, 'utf8'))?.[1]) / 1000],
    [`${name}Handles`, readdirSync(`/proc/${processId}/fd`).length],
  ]);
  return { heapMegabytes: metric('JSHeapUsedSize') / 1e6, nodes: metric('Nodes'), listeners: metric('JSEventListeners'), documents: metric('Documents'), ...Object.fromEntries(held), ...own };
}

const opened = values.app ? await inApp(values.app) : await inBrowser();
const { page } = opened;
await page.locator('textarea, main h1').first().waitFor();
await showFormulas(page);
const session = await page.context().newCDPSession(page);
await session.send('Performance.enable');
const readings = [];
let number = 0;
try {
  for (let part = 0; part < parts; part += 1) {
    for (let shown = 0; shown < switchesOfAPart; shown += 1) {
      number += 1;
      await showChat(page, number);
      if (number % searchEvery === 0) await search(page, number);
      if (number % settingsEvery === 0) await openSettings(page);
    }
    // The same is shown whenever something is measured.
    await showChat(page, 0);
    readings.push(await measure(session, opened));
    console.log(JSON.stringify({ bench: 'window soak', where: values.app ? 'app' : 'browser', part, switches: number, ...readings.at(-1) }));
  }
} finally {
  await opened.close();
}
const quarter = Math.max(1, Math.floor(parts / 4));
const median = (numbers) => [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)];
const growth = Object.fromEntries(
  Object.keys(readings[0]).map((key) => {
    const of = (some) => median(some.map((reading) => reading[key]));
    return [key, Number((of(readings.slice(-quarter)) / of(readings.slice(quarter, 2 * quarter)) - 1).toFixed(4))];
  }),
);
console.log(JSON.stringify({ bench: 'window soak', summary: true, where: values.app ? 'app' : 'browser', switches: number, growth }));
