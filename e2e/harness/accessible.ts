/** axe's rules on the screen as it is now, in both themes. */
import { AxeBuilder } from '@axe-core/playwright';
import type { RunningApp } from './runningApp.ts';
import { expect } from './test.ts';

export async function expectAccessible({ page }: RunningApp): Promise<void> {
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
    // Colours change over a moment.
    await page.waitForTimeout(250);
    // Electron has one window: axe must not open another to merge the results of frames in.
    const { violations } = await new AxeBuilder({ page }).setLegacyMode().analyze();
    expect(violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ target }) => target.join(' ')).join(', ')}`), colorScheme).toEqual([]);
  }
  await page.emulateMedia({ colorScheme: 'light' });
}
