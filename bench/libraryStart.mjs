/**
 * From opening the address to a window one can write in, with a full and with an empty library, in turn:
 *
 *     node bench/libraryStart.mjs FOLDER     with FOLDER/full and FOLDER/empty, as dist/bench/library.js --keep leaves them
 *
 * LONGLEAF_TEST_CHROMIUM: the browser. Also opens a chat of 1,000 messages and scrolls through it at once, three times, and counts
 * frames over 50 ms; `longTasksMs` are tasks of the page over 50 ms, those of opening the chat before those of scrolling.
 * Prints one JSON object.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { chromium } from 'playwright';
import { findRuntimeNode } from '../scripts/runtimeNode.mjs';
import { isUsable } from './usableWindow.mjs';

const [folder = '.'] = process.argv.slice(2);
const rounds = 9;
const scrolls = 3;

async function serve(dataFolder) {
  const begunMs = performance.now();
  const host = spawn(findRuntimeNode(), ['dist/host.js', 'serve', '--no-open', '--port', '0', '--json', '--data', dataFolder], { stdio: ['ignore', 'pipe', 'ignore'] });
  const url = await new Promise((resolve) => createInterface({ input: host.stdout }).on('line', (line) => {
    const event = JSON.parse(line);
    if (event.event === 'serving') resolve(event.url);
  }));
  return { url, servedMs: performance.now() - begunMs, end: async () => { const ended = once(host, 'exit'); host.kill('SIGTERM'); await ended; } };
}

/** Milliseconds: process to address, address to a window that takes a question or offers a model. */
async function start(browser, dataFolder) {
  const { url, servedMs, end } = await serve(dataFolder);
  const page = await (await browser.newContext({ viewport: { width: 1280, height: 860 } })).newPage();
  const begunMs = performance.now();
  await page.goto(url);
  await page.waitForFunction(isUsable);
  const shownMs = performance.now() - begunMs;
  await page.context().close();
  await end();
  return { servedMs, shownMs, totalMs: servedMs + shownMs };
}

const middle = (values) => Math.round(values.sort((a, b) => a - b)[Math.floor(values.length / 2)]);

async function scrolling(browser, dataFolder) {
  const { url, end } = await serve(dataFolder);
  const page = await (await browser.newContext({ viewport: { width: 1280, height: 860 } })).newPage();
  await page.goto(url);
  const chat = page.getByRole('list', { name: 'Conversations' }).getByText('A thousand messages');
  await chat.waitFor();
  await page.evaluate(() => {
    window.longTasks = [];
    new PerformanceObserver((list) => window.longTasks.push(...list.getEntries())).observe({ type: 'longtask' });
  });
  await chat.click();
  await page.getByTestId('answer').first().waitFor();
  await page.waitForTimeout(1500);
  const result = await page.evaluate(async () => {
    const region = document.querySelector('[role=log]');
    const frames = [];
    const begunMs = performance.now();
    let last = begunMs;
    const nextFrame = () => new Promise((resolve) => requestAnimationFrame(resolve));
    // A wheel's pace: some 3,000 pixels a second.
    for (let step = 0; step < 600; step += 1) {
      region.scrollTop -= 50;
      await nextFrame();
      const now = performance.now();
      frames.push(now - last);
      last = now;
    }
    frames.sort((a, b) => a - b);
    const durations = (tasks) => tasks.map(({ duration }) => Math.round(duration));
    const longTasksMs = { opening: durations(window.longTasks.filter(({ startTime }) => startTime < begunMs)), scrolling: durations(window.longTasks.filter(({ startTime }) => startTime >= begunMs)) };
    return { frames: frames.length, medianMs: Math.round(frames[300]), p99Ms: Math.round(frames[594]), worstMs: Math.round(frames.at(-1)), over50Ms: frames.filter((frame) => frame > 50).length, longTasksMs, inTheDocument: document.querySelectorAll('[data-message]').length };
  });
  await page.context().close();
  await end();
  return result;
}

const browser = await chromium.launch({ executablePath: process.env.LONGLEAF_TEST_CHROMIUM ?? process.env.CHROME, args: ['--no-sandbox'] });
const taken = { full: [], empty: [] };
for (let round = 0; round < rounds; round += 1) for (const name of ['empty', 'full']) taken[name].push(await start(browser, join(folder, name)));
const medians = Object.fromEntries(Object.entries(taken).map(([name, runs]) => [name, Object.fromEntries(['servedMs', 'shownMs', 'totalMs'].map((key) => [key, middle(runs.map((run) => run[key]))]))]));
const scrolled = [];
for (let round = 0; round < scrolls; round += 1) scrolled.push(await scrolling(browser, join(folder, 'full')));
console.log(JSON.stringify({ start: { ...medians, ratio: Number((medians.full.totalMs / medians.empty.totalMs).toFixed(2)) }, scrolling: scrolled }, null, 2));
await browser.close();
