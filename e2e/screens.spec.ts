/** Every screen, with axe's rules for accessibility, in both themes, and a picture of each. */
import { expectAccessible } from './harness/accessible.ts';
import { takePictures } from './harness/pictures.ts';
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
