/** A copy whose maker put a feed into it: what a person sees of a newer version, and of one that nobody signed. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from '@playwright/test';
import { expectAccessible } from './harness/accessible.ts';
import { takePictures } from './harness/pictures.ts';
import { startPublisher } from './harness/publisher.ts';
import { temporaryFolder } from './harness/runningApp.ts';
import { startServedApp } from './harness/servedApp.ts';
import { expect } from './harness/test.ts';
import { FirstRunPage } from './pages/firstRunPage.ts';

test('a newer version is shown, fetched and checked after a copy of the chats; one that nobody signed is refused', async () => {
  const publisher = await startPublisher({ version: '999.1.0', notes: 'Reads faster.\nKeeps what it has read through a power cut.' });
  const data = temporaryFolder();
  const app = await startServedApp({ dataFolder: data.path, environment: {}, entry: publisher.entry });
  try {
    const { page } = app;
    await new FirstRunPage(page).skip();
    await page.keyboard.press('ControlOrMeta+,');
    const section = page.getByRole('region', { name: 'Updates' });
    await expect(section).toContainText('Longleaf asks only when you press the button.');
    await section.getByRole('button', { name: 'Look for one' }).click();
    await expect(section).toContainText('Version 999.1.0 is there (3.2 MB).');
    await expect(section).toContainText('Keeps what it has read through a power cut.');
    // What has left this machine is listed without being asked for again.
    await expect(page.getByRole('region', { name: 'Privacy' })).toContainText('1 request has left this machine');
    await section.scrollIntoViewIfNeeded();
    await takePictures(app, 'settings-update');
    await expectAccessible(app);

    await section.getByRole('button', { name: 'Fetch it' }).click();
    const path = join(data.path, 'updates', 'Longleaf-999.1.0.AppImage');
    await expect(section).toContainText(`Version 999.1.0 is fetched and checked: ${path}. Your chats were backed up. Quit Longleaf and open that file.`);
    expect(readFileSync(path).equals(publisher.installer)).toBe(true);
    expect(readdirSync(join(data.path, 'backups'))).not.toEqual([]);
    await expect(section.getByRole('button')).toHaveCount(0);

    publisher.tamper();
    await page.reload();
    // The first run comes again for as long as there is no model.
    await new FirstRunPage(page).skip();
    await page.keyboard.press('ControlOrMeta+,');
    await section.getByRole('button', { name: 'Look for one' }).click();
    await expect(page.getByText('The update was refused: its signature is not the publisher’s.')).toBeVisible();
    await expect(section).toContainText('Longleaf asks only when you press the button.');
    await section.scrollIntoViewIfNeeded();
    await takePictures(app, 'update-refused');
    expect(app.policyViolations).toEqual([]);
  } finally {
    await app.close();
    publisher.close();
    data.remove();
  }
});
