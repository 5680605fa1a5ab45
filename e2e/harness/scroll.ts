/** Scrolls through a long list by the wheel, and finds in a trace of the browser what its main thread did meanwhile. */
import { type Locator, type Page } from '@playwright/test';

interface TraceEvent {
  name: string;
  pid: number;
  tid: number;
  /** Microseconds of the processor. */
  tdur?: number;
  ts: number;
  args?: { name?: string };
}

export interface Scrolled {
  frames: number;
  /** Between two frames; others on the machine lengthen it. */
  frameMs: { median: number; share95: number; most: number };
  /** Of the processor, on the page's main thread. */
  longestTaskMs: number;
  /** The same, of all tasks from one frame to the next. */
  busiestFrameMs: number;
}

/**
 * What `slowness` takes where the bar of 50 ms was set: on two cores of an EPYC with nothing else to do, where the desktop app
 * starts in 0.7 s. On one where it takes 1.3 s it was 16.
 */
const usualMs = 9;

/** How many times as long as usual this machine takes now for what a page does all day: texts, and elements that hold them. */
export async function slowness(page: Page): Promise<number> {
  const shortestMs = await page.evaluate(() => {
    const workMs = (): number => {
      const begunMs = performance.now();
      const seen = new Map<string, Element>();
      let text = '';
      for (let number = 0; number < 6000; number += 1) {
        text = `${text.slice(-40)} ${number}`;
        const element = document.createElement('span');
        element.className = 'message';
        element.textContent = text;
        seen.set(text, element);
      }
      return performance.now() - begunMs;
    };
    return Math.min(...Array.from({ length: 9 }, workMs));
  });
  return Math.max(1, shortestMs / usualMs);
}

/** `stepPixels`: a turn of the wheel; negative is towards the beginning. */
export async function scroll(page: Page, list: Locator, { turns, stepPixels }: { turns: number; stepPixels: number }): Promise<Scrolled> {
  const browser = page.context().browser();
  const box = await list.boundingBox();
  if (!browser || !box) throw new Error('there is nothing to scroll');
  await page.mouse.move(box.x + box.width / 2, box.y + box.height / 2);
  await browser.startTracing(page, { categories: ['toplevel', 'devtools.timeline', 'disabled-by-default-devtools.timeline.frame', '__metadata'] });
  const frames = page.evaluate(
    (forMs) =>
      new Promise<number[]>((resolve) => {
        const framesAt: number[] = [];
        const until = performance.now() + forMs;
        const frame = (atMs: number): void => {
          framesAt.push(atMs);
          if (atMs < until) requestAnimationFrame(frame);
          else resolve(framesAt);
        };
        requestAnimationFrame(frame);
      }),
    turns * 50,
  );
  for (let turn = 0; turn < turns; turn++) {
    await page.mouse.wheel(0, stepPixels);
    await page.waitForTimeout(40);
  }
  const framesAt = await frames;
  const { traceEvents } = JSON.parse((await browser.stopTracing()).toString()) as { traceEvents: TraceEvent[] };
  const { tasks, framesAtMicroseconds } = mainThread(traceEvents);
  const between = framesAt.slice(1).map((atMs, index) => atMs - framesAt[index]).sort((a, b) => a - b);
  return {
    frames: framesAt.length,
    frameMs: { median: between[between.length >> 1], share95: between[Math.floor(0.95 * between.length)], most: between[between.length - 1] },
    longestTaskMs: Math.max(...tasks.map(processorMs)),
    busiestFrameMs: Math.max(...framesAtMicroseconds.map((at, index) => sum(tasks.filter(({ ts }) => ts >= at && ts < (framesAtMicroseconds[index + 1] ?? at))))),
  };
}

/** Of the processes that show pages: what their main threads ran, and when a frame began there. */
function mainThread(events: readonly TraceEvent[]): { tasks: TraceEvent[]; framesAtMicroseconds: number[] } {
  const mains = new Set(events.filter(({ name, args }) => name === 'thread_name' && args?.name === 'CrRendererMain').map(threadOf));
  const own = events.filter((event) => mains.has(threadOf(event)));
  const framesAtMicroseconds = own.filter(({ name }) => name === 'BeginMainThreadFrame').map(({ ts }) => ts).sort((a, b) => a - b);
  return { tasks: own.filter(({ name }) => name.endsWith('RunTask')), framesAtMicroseconds };
}

function threadOf({ pid, tid }: TraceEvent): string {
  return `${pid} ${tid}`;
}

function processorMs({ tdur = 0 }: TraceEvent): number {
  return tdur / 1000;
}

function sum(tasks: readonly TraceEvent[]): number {
  return tasks.reduce((total, task) => total + processorMs(task), 0);
}
