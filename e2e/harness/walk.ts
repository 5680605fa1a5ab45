/** A random walk over the map of an answer: how much memory it leaves behind, how many frames a second panning has. */
import { type CDPSession, type Locator, type Page } from '@playwright/test';
import { seededRandom } from '../../engine/formats/quantisation/testing/seededRandom.ts';

/** In CI; `LONGLEAF_WALK_MOVES` makes it as long as an hour's use, and tells what it measured. */
export const walkMoves = Number(process.env['LONGLEAF_WALK_MOVES'] ?? 80);

const keys = ['ArrowLeft', 'ArrowRight', 'ArrowUp', 'ArrowDown', 'Shift+ArrowLeft', 'Shift+ArrowRight', '+', '+', '-', '-', '0'];

/** Heap of the page in bytes, after its garbage was collected. */
async function heapBytes(session: CDPSession): Promise<number> {
  await session.send('HeapProfiler.collectGarbage');
  const { usedSize } = await session.send('Runtime.getHeapUsage');
  return usedSize;
}

/** Presses keys, turns the wheel and changes what is shown. `heaps`: after a quarter of the moves, and after each other quarter. */
export async function walk(page: Page, map: Locator, moves: number): Promise<{ heaps: number[] }> {
  const random = seededRandom(17);
  const session = await page.context().newCDPSession(page);
  const heaps: number[] = [];
  const box = await map.boundingBox();
  if (!box) throw new Error('the map has no place');
  for (let move = 1; move <= moves; move++) {
    const chance = random();
    if (chance < 0.85) {
      await map.focus();
      await page.keyboard.press(keys[Math.floor(random() * keys.length)]);
    } else if (chance < 0.95) {
      await page.mouse.move(box.x + random() * box.width, box.y + random() * box.height);
      await page.mouse.wheel(0, random() < 0.5 ? -200 : 200);
    } else {
      await page.getByRole('radio', { name: random() < 0.5 ? 'Largest weight' : 'Summed weight' }).click();
    }
    if (move % Math.floor(moves / 4) === 0) heaps.push(await heapBytes(session));
  }
  await session.detach();
  return { heaps };
}

/** Drags the map to and fro. `frameMs`: from frame to frame. `busyMs`: of the page's main thread, a frame. */
export async function pan(page: Page, map: Locator, drags: number): Promise<{ framesPerSecond: number; frameMs: { median: number; most: number; share95: number }; busyMs: number }> {
  const box = await map.boundingBox();
  if (!box) throw new Error('the map has no place');
  const session = await page.context().newCDPSession(page);
  await session.send('Performance.enable');
  const busySeconds = async (): Promise<number> => (await session.send('Performance.getMetrics')).metrics.find(({ name }) => name === 'TaskDuration')?.value ?? 0;
  await page.evaluate(() => {
    const counted = window as unknown as { framesAt: number[]; counting: boolean };
    counted.framesAt = [];
    counted.counting = true;
    const frame = (atMs: number): void => {
      counted.framesAt.push(atMs);
      if (counted.counting) requestAnimationFrame(frame);
    };
    requestAnimationFrame(frame);
  });
  const before = { busy: await busySeconds(), at: performance.now() };
  for (let drag = 0; drag < drags; drag++) {
    const [from, to] = drag % 2 === 0 ? [0.7, 0.3] : [0.3, 0.7];
    await page.mouse.move(box.x + from * box.width, box.y + box.height / 2);
    await page.mouse.down();
    await page.mouse.move(box.x + to * box.width, box.y + box.height / 2, { steps: 40 });
    await page.mouse.up();
  }
  const seconds = (performance.now() - before.at) / 1000;
  const busy = (await busySeconds()) - before.busy;
  const framesAt = await page.evaluate(() => {
    const counted = window as unknown as { framesAt: number[]; counting: boolean };
    counted.counting = false;
    return counted.framesAt;
  });
  await session.detach();
  const between = framesAt.slice(1).map((atMs, i) => atMs - framesAt[i]).sort((a, b) => a - b);
  const frameMs = { median: between[between.length >> 1], share95: between[Math.floor(0.95 * between.length)], most: between[between.length - 1] };
  return { framesPerSecond: framesAt.length / seconds, frameMs, busyMs: (1000 * busy) / Math.max(1, framesAt.length) };
}
