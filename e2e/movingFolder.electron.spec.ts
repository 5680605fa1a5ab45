/** The data folder moves under Electron too, where the desktop's dialog names the place and pages name none. */
import { existsSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expectAccessible } from './harness/accessible.ts';
import { expect, test } from './harness/test.ts';
import { ChatPage } from './pages/chatPage.ts';
import { FirstRunPage } from './pages/firstRunPage.ts';

test.describe.configure({ mode: 'serial' });
test.use({ story: 'movingFolderDesktop' });

let place: string;

test.beforeAll(({ afterwards }) => {
  place = mkdtempSync(join(tmpdir(), 'longleaf-drive-'));
  afterwards(() => rmSync(place, { recursive: true, force: true }));
});

test('the folder is chosen in the dialog of the desktop, and what the move takes is said', async ({ app }) => {
  const { page } = app;
  await new FirstRunPage(page).completeIfShown();
  await page.keyboard.press('ControlOrMeta+,');
  const now = await page.getByTestId('data-folder').innerText();
  await page.getByRole('button', { name: 'Move…' }).click();
  const dialog = page.getByRole('dialog', { name: 'Move the data folder' });
  // Nothing can be typed: a page that named paths could have any folder written to.
  await expect(dialog.getByRole('textbox')).toHaveCount(0);
  const choose = dialog.getByRole('button', { name: 'Choose a folder…' });
  await app.choosingFile(join(now, 'models'), () => choose.click());
  await expect(dialog.getByRole('alert')).toContainText('lies inside the data folder itself.');
  await app.choosingFile(place, () => choose.click());
  await expect(dialog.getByTestId('move-plan')).toContainText(place);
  await expectAccessible(app);
});

test('it moves, and a question is answered from there', async ({ app }) => {
  const { page } = app;
  const before = await page.getByTestId('data-folder').innerText();
  await page.getByRole('dialog').getByRole('button', { name: 'Move', exact: true }).click();
  await expect(page.getByTestId('data-folder')).toHaveText(place, { timeout: 60_000 });
  expect(statSync(join(place, 'longleaf.sqlite')).size).toBeGreaterThan(0);
  // Electron keeps its own profile where it was told to.
  await expect.poll(() => readdirSync(before).sort()).toEqual(['electron', 'moved-to.json']);
  await page.keyboard.press('/');
  const chat = new ChatPage(page);
  await chat.ask('What is two and two?');
  await expect(chat.lastAnswer('complete')).toBeVisible({ timeout: 60_000 });
});

test('the next start finds it there, with what was asked', async ({ app }) => {
  await app.restart();
  await expect(app.page.getByText('What is two and two?').first()).toBeVisible({ timeout: 60_000 });
  await app.page.keyboard.press('ControlOrMeta+,');
  await expect(app.page.getByTestId('data-folder')).toHaveText(place);
  expect(existsSync(join(place, 'moved-to.json'))).toBe(false);
});
