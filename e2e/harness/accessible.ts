/** axe's rules on the screen as it is now, in both themes. */
import { AxeBuilder } from '@axe-core/playwright';
import type { Page } from '@playwright/test';
import type { RunningApp } from './runningApp.ts';
import { expect } from './test.ts';

export async function expectAccessible({ page }: RunningApp): Promise<void> {
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
    await settled(page);
    // Electron has one window: axe must not open another to merge the results of frames in.
    const { violations } = await new AxeBuilder({ page }).setLegacyMode().analyze();
    expect(violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ target }) => target.join(' ')).join(', ')}`), colorScheme).toEqual([]);
  }
  await page.emulateMedia({ colorScheme: 'light' });
}

/** Colours change over a moment, which is longer on a busy machine: what is measured is how they end. */
async function settled(page: Page): Promise<void> {
  await page.evaluate(async () => {
    const frame = (): Promise<unknown> => new Promise((resolve) => requestAnimationFrame(resolve));
    // A new theme starts its transitions with the next frame. Where an inherited colour changes, each element begins
    // its own when its parent's has ended. Spinners never end.
    for (;;) {
      await frame();
      await frame();
      const ending = document.getAnimations().filter((animation) => animation.effect?.getComputedTiming().endTime !== Infinity);
      if (ending.length === 0) break;
      await Promise.allSettled(ending.map(({ finished }) => finished));
    }
    await frame();
  });
}
