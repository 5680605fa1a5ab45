/** Every screen, with axe's rules for accessibility, in both themes, and a picture of each. */
import { AxeBuilder } from '@axe-core/playwright';
import { takePictures } from './harness/pictures.ts';
import type { RunningApp } from './harness/runningApp.ts';
import { expect, test } from './harness/test.ts';
import { ChatPage } from './pages/chatPage.ts';
import { FirstRunPage } from './pages/firstRunPage.ts';

test.use({ story: 'screens' });

test('the first run', async ({ app }) => {
  await expect(new FirstRunPage(app.page).screen).toBeVisible({ timeout: 30_000 });
  await expectAccessible(app);
});

test('an empty chat', async ({ app }) => {
  await new FirstRunPage(app.page).completeIfShown();
  await expect(new ChatPage(app.page).composer).toBeVisible();
  await expectAccessible(app);
});

test('models', async ({ app }) => {
  await new FirstRunPage(app.page).completeIfShown();
  await app.page.getByRole('button', { name: /^Models/ }).click();
  await expect(app.page.getByText('SmolLM2 135M Instruct').first()).toBeVisible();
  await takePictures(app, 'models');
  await expectAccessible(app);
});

test('settings', async ({ app }) => {
  await new FirstRunPage(app.page).completeIfShown();
  await app.page.getByRole('button', { name: /^Settings/ }).click();
  await expect(app.page.getByRole('heading', { name: 'Settings' })).toBeVisible();
  await takePictures(app, 'settings');
  await expectAccessible(app);
});

test('the command palette', async ({ app }) => {
  await app.page.keyboard.press('ControlOrMeta+k');
  await expect(app.page.getByRole('dialog')).toBeVisible();
  await takePictures(app, 'command-palette');
  await expectAccessible(app);
  await app.page.keyboard.press('Escape');
});

test('a narrow window', async ({ app }) => {
  test.skip(app.kind === 'electron', 'Playwright cannot resize an Electron window');
  await app.page.setViewportSize({ width: 520, height: 700 });
  await expect(new ChatPage(app.page).composer.or(app.page.getByRole('heading', { name: 'Settings' }))).toBeVisible();
  await takePictures(app, 'narrow');
  await expectAccessible(app);
});

async function expectAccessible({ page }: RunningApp): Promise<void> {
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
