/** The data folder goes to another drive while the window is open, and everything is there afterwards. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expectAccessible } from './harness/accessible.ts';
import { takePictures, takesPictures } from './harness/pictures.ts';
import { expect, test } from './harness/test.ts';
import { ChatPage } from './pages/chatPage.ts';
import { FirstRunPage } from './pages/firstRunPage.ts';

test.describe.configure({ mode: 'serial' });
test.use({ story: 'movingFolder' });

/** Of a file system of its own where this user may mount one; else of the same drive. */
let drive: string;
let mounted: boolean;

test.beforeAll(({ afterwards }) => {
  drive = mkdtempSync(join(tmpdir(), 'longleaf-drive-'));
  mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=700m,mode=700', 'longleaf-test', drive]).status === 0;
  afterwards(() => {
    if (mounted) spawnSync('umount', ['--lazy', drive]);
    rmSync(drive, { recursive: true, force: true });
  });
});

test('the folder that is typed is checked, and what the move takes is said', async ({ app }) => {
  const { page } = app;
  await new FirstRunPage(page).completeIfShown();
  await page.keyboard.press('ControlOrMeta+,');
  await page.getByRole('button', { name: 'Move…' }).click();
  const dialog = page.getByRole('dialog', { name: 'Move the data folder' });
  const path = dialog.getByLabel('Folder', { exact: true });
  await path.fill('somewhere');
  await path.press('Enter');
  await expect(dialog.getByRole('alert')).toContainText('“somewhere” is not a whole path.');
  await path.fill('/proc/longleaf');
  await path.press('Enter');
  await expect(dialog.getByRole('alert')).toContainText('Longleaf cannot write to /proc/longleaf');
  await takePictures(app, 'moving-refused');
  await path.fill(drive);
  await path.press('Enter');
  await expect(dialog.getByTestId('move-plan')).toContainText(drive);
  await expect(dialog.getByTestId('move-plan')).toContainText(mounted ? 'are free there' : 'The same drive');
  await takePictures(app, 'moving-plan');
  await expectAccessible(app);
});

test('it moves with its progress, opens again by itself, and a question is answered from there', async ({ app }) => {
  const { page } = app;
  const before = await page.getByTestId('data-folder').innerText();
  await page.getByRole('dialog').getByRole('button', { name: 'Move', exact: true }).click();
  // On a fast machine it is over before it is seen.
  if (takesPictures) {
    await expect(page.getByTestId('moving')).toBeVisible();
    await takePictures(app, 'moving');
  }
  await expect(page.getByTestId('data-folder')).toHaveText(drive, { timeout: 60_000 });
  await expect(page.getByText(`The data folder is now ${drive}.`).first()).toBeVisible();
  await page.getByTestId('data-folder').scrollIntoViewIfNeeded();
  await takePictures(app, 'moved');
  expect(statSync(join(drive, 'longleaf.sqlite')).size).toBeGreaterThan(0);
  await expect.poll(() => readdirSync(before)).toEqual(['moved-to.json']);
  await page.keyboard.press('/');
  const chat = new ChatPage(page);
  await chat.ask('What is two and two?');
  await expect(chat.lastAnswer('complete')).toBeVisible({ timeout: 60_000 });
});

test('the next start finds it there', async ({ app }) => {
  await app.restart();
  await app.page.keyboard.press('ControlOrMeta+,');
  await expect(app.page.getByTestId('data-folder')).toHaveText(drive);
  await expectAccessible(app);
});
