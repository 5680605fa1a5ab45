/** axe's rules on the screen as it is now; those of colours in both themes. */
import { AxeBuilder } from '@axe-core/playwright';
import type { Page } from '@playwright/test';
import type { RunningApp } from './runningApp.ts';
import { expect } from './test.ts';

/** All else is the same whatever the colours. */
const colourRules = ['color-contrast', 'link-in-text-block'];

export async function expectAccessible({ page }: RunningApp): Promise<void> {
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
    await settled(page);
    // Electron has one window: axe must not open another to merge the results of frames in.
    // Nobody looks at what passes; describing it takes long on a screen of many parts.
    const axe = new AxeBuilder({ page }).setLegacyMode().options({ resultTypes: ['violations'] });
    const { violations } = await (colorScheme === 'light' ? axe : axe.withRules(colourRules)).analyze();
    expect(violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ target }) => target.join(' ')).join(', ')}`), colorScheme).toEqual([]);
  }
  await page.emulateMedia({ colorScheme: 'light' });
}

/** What is measured is how colours and movements end. */
async function settled(page: Page): Promise<void> {
  await page.evaluate(async () => {
    // Browsers draw no frames where they think that nobody looks.
    const frame = (): Promise<unknown> => new Promise((resolve) => [requestAnimationFrame(resolve), setTimeout(resolve, 500)]);
    await frame();
    await frame();
    for (const animation of document.getAnimations()) {
      // Spinners never end.
      if (animation.effect?.getComputedTiming().endTime !== Infinity) animation.finish();
    }
    await frame();
  });
}
