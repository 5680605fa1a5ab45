/** A narrow window; Playwright cannot resize an Electron window, so this is for the browser alone. */
import { expectAccessible } from './harness/accessible.ts';
import { takePictures } from './harness/pictures.ts';
import { expect, test } from './harness/test.ts';
import { ChatPage } from './pages/chatPage.ts';
import { FirstRunPage } from './pages/firstRunPage.ts';

test.use({ story: 'narrow' });

test('a narrow window', async ({ app }) => {
  await new FirstRunPage(app.page).completeIfShown();
  await app.page.setViewportSize({ width: 520, height: 700 });
  await expect(new ChatPage(app.page).composer).toBeVisible();
  await takePictures(app, 'narrow');
  await expectAccessible(app);
});
