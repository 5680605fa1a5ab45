/** A database that is damaged under a window: the person is asked, and the newest backup takes its place. */
import { copyFileSync, mkdtempSync, readdirSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { damage } from './harness/accidents.ts';
import type { RunningElectron } from './harness/electronApp.ts';
import { expect, test } from './harness/test.ts';
import { ChatPage } from './pages/chatPage.ts';
import { FirstRunPage } from './pages/firstRunPage.ts';

test.use({ story: 'accidents' });

interface Asked {
  message: string;
  detail?: string;
  buttons?: string[];
}

test('a damaged database is found when the host starts; the window offers its newest backup, and goes on with it', async ({ app }) => {
  const note = join(mkdtempSync(join(tmpdir(), 'longleaf-e2e-')), 'note.txt');
  writeFileSync(note, 'The keeper counted every ship.');
  await new FirstRunPage(app.page).skip();
  await app.choosingFile(note, () => new ChatPage(app.page).attach.click());
  await expect(new ChatPage(app.page).documents).toContainText('note.txt');
  await app.page.keyboard.press('ControlOrMeta+,');
  const root = await app.page.getByTestId('data-folder').innerText();
  const database = join(root, 'longleaf.sqlite');
  // All that was written is in the file itself after an orderly end.
  await app.restart();
  await expect(new ChatPage(app.page).conversations.nth(1)).toBeVisible({ timeout: 30_000 });
  copyFileSync(database, join(root, 'backups', 'longleaf-2026-01-01T00-00-00-schema-1.sqlite'));

  const asked = await (app as RunningElectron).application.evaluateHandle(({ dialog }) => {
    const said: Asked[] = [];
    dialog.showMessageBox = ((options: Asked) => {
      said.push(options);
      return Promise.resolve({ response: 0, checkboxChecked: false });
    }) as typeof dialog.showMessageBox;
    return said;
  });
  const host = app.hostProcessId();
  process.kill(host, 'SIGSTOP');
  damage(database);
  process.kill(host, 'SIGKILL');
  await expect
    .poll(async () => (await asked.jsonValue()).map(({ message }) => message), { timeout: 30_000 })
    .toEqual(['A part of Longleaf stopped and was started again.', 'The database with your chats is damaged.']);
  const [, question] = await asked.jsonValue();
  expect(question?.detail).toContain(`The database ${database} is damaged (`);
  expect(question?.detail).toContain('The damaged database is kept beside it, and documents, memories and models stay as they are.');
  expect(question?.buttons).toEqual(['Restore the newest backup', 'Quit']);
  const isDamaged = (name: string) => name.startsWith('longleaf.sqlite.damaged-');
  await expect.poll(() => readdirSync(root).some(isDamaged), { timeout: 30_000 }).toBe(true);
  // Nothing that the page had before is what it shows now.
  await app.page.reload();
  await expect(app.page.getByTestId('banner')).toBeHidden({ timeout: 30_000 });
  const chat = new ChatPage(app.page);
  await chat.conversations.getByRole('button', { name: 'New chat', exact: true }).click();
  await expect(chat.documents).toContainText('note.txt');
});
