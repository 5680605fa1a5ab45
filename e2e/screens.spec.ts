/** Every screen, with axe's rules for accessibility, in both themes, and a picture of each. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { chatFile } from './data/chats.ts';
import { expectAccessible } from './harness/accessible.ts';
import { takePictures } from './harness/pictures.ts';
import { repositoryFolder, temporaryFolder } from './harness/runningApp.ts';
import { expect, test } from './harness/test.ts';
import { ChatPage } from './pages/chatPage.ts';
import { FirstRunPage } from './pages/firstRunPage.ts';
import { typeCommand } from './pages/palette.ts';

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

test('memories', async ({ app }) => {
  await new FirstRunPage(app.page).completeIfShown();
  await app.page.getByRole('button', { name: /^Memories/ }).click();
  await expect(app.page.getByText('Nothing is kept yet.')).toBeVisible();
  const limit = app.page.getByRole('spinbutton', { name: 'Limit' });
  await limit.fill('20');
  await limit.press('Enter');
  await limit.blur();
  await expect(app.page.getByTestId('memory-usage')).toContainText('0 bytes of 20.0 GB');
  await takePictures(app, 'memories');
  await expectAccessible(app);
});

test('settings', async ({ app }) => {
  await new FirstRunPage(app.page).completeIfShown();
  await app.page.getByRole('button', { name: /^Settings/ }).click();
  await expect(app.page.getByRole('heading', { name: 'Settings' })).toBeVisible();
  await takePictures(app, 'settings');
  await expectAccessible(app);
});

test('the report and the licences', async ({ app }) => {
  await new FirstRunPage(app.page).completeIfShown();
  await app.page.getByRole('button', { name: /^Settings(?! of)/ }).click();
  await app.page.getByText(/^The last \d+ lines$/).click();
  await expect(app.page.getByTestId('log')).toContainText('worker ready');
  await app.page.getByRole('button', { name: 'Show the report…' }).click();
  const report = app.page.getByTestId('report');
  await expect(report).toContainText('"diskFreeBytes"');
  await expect(report).not.toContainText('longleaf-e2e-');
  await takePictures(app, 'report');
  await expectAccessible(app);
  await app.page.keyboard.press('Escape');
  await app.page.getByRole('button', { name: 'Show the licences…' }).click();
  const licences = app.page.getByTestId('licences');
  await licences.getByText(/^react$/).click();
  await expect(licences).toContainText('Permission is hereby granted');
  await takePictures(app, 'licences');
  await app.page.keyboard.press('Escape');
});

test('the command palette', async ({ app }) => {
  await app.page.keyboard.press('ControlOrMeta+k');
  await expect(app.page.getByRole('dialog')).toBeVisible();
  await takePictures(app, 'command-palette');
  await expectAccessible(app);
  await app.page.keyboard.press('Escape');
});

test('a document that is longer than the window is refused with both numbers, and cannot be sent', async ({ app }) => {
  const folder = temporaryFolder();
  const path = join(folder.path, 'Alice, three times.txt');
  writeFileSync(path, readFileSync(join(repositoryFolder, 'assets', 'sample', 'alice-in-wonderland-chapter-1.txt'), 'utf8').repeat(3));
  const chat = new ChatPage(app.page);
  // Whatever the screen before has left open.
  await app.page.keyboard.press('Escape');
  await app.page.getByRole('button', { name: /^New chat/ }).first().click();
  await app.choosingFile(path, () => chat.attach.click());
  await chat.composer.fill('What was on the label of the jar?');
  await expect(app.page.getByText(/^The prompt is 9,\d{3} tokens; SmolLM2 135M Instruct holds 8,192\.$/)).toBeVisible({ timeout: 60_000 });
  await expect(chat.contextBar).toHaveText(/^9,\d{3} of 8,192 tokens, with what is kept for the answer: 1,\d{3} too many$/);
  await chat.composer.press('Enter');
  await expect(chat.answers).toHaveCount(0);
  await takePictures(app, 'document-too-long');
  await expectAccessible(app);
  folder.remove();
});

test('code in a chat is in colours, from a thread of the page', async ({ app }) => {
  const folder = temporaryFolder();
  const path = join(folder.path, 'chats.json');
  writeFileSync(path, JSON.stringify(chatFile(Date.now())));
  await typeCommand(app.page, 'import chats');
  await app.choosingFile(path, () => app.page.keyboard.press('Enter'));
  await app.page.getByText('Everything in an answer').click();
  await expect(new ChatPage(app.page).answers.last().locator('pre span[style*="--code-token-keyword"]').first()).toHaveText('def');
  // A long chat is shown in another way, in the oldest Electron, too.
  await app.page.getByText('A thousand messages').first().click();
  await expect(app.page.locator('[data-message="thousand-999"]')).toBeInViewport();
  folder.remove();
});

test('no screen was refused anything by the content security policy', ({ app }) => {
  expect(app.policyViolations).toEqual([]);
});
