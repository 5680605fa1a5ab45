/**
 * A document that is longer than the GPU's share is read ahead, paused, resumed, kept and asked about; how much of it
 * each answer attends to is told everywhere.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expectAccessible } from './harness/accessible.ts';
import { takePictures } from './harness/pictures.ts';
import { repositoryFolder, temporaryFolder } from './harness/runningApp.ts';
import { expect, test } from './harness/test.ts';
import { ChatPage } from './pages/chatPage.ts';
import { FirstRunPage } from './pages/firstRunPage.ts';
import { MemoriesPage } from './pages/memoriesPage.ts';
import { typeCommand } from './pages/palette.ts';

/** Software adapters read about a hundred tokens a second on two cores. */
const readingTimeoutMs = 300_000;
const name = 'Alice, the beginning.txt';
/** Some 700 tokens: with a hundred megabytes on the GPU, most of them lie beyond it. */
const characters = 2600;

test.describe.configure({ mode: 'serial' });
test.use({ story: 'reading' });

test('how much memory keys and values may take is set, checked and kept', async ({ app }) => {
  await new FirstRunPage(app.page).completeIfShown();
  const openSettings = () => app.page.getByRole('button', { name: /^Settings/ }).first().click();
  await openSettings();
  const section = app.page.getByRole('region', { name: 'Memory for reading' });
  await section.scrollIntoViewIfNeeded();
  const gpu = section.getByRole('spinbutton', { name: 'On the GPU' });
  await gpu.fill('100000');
  await expect(gpu).toHaveAttribute('aria-invalid', 'true');
  // What cannot be is not taken.
  await gpu.blur();
  await expect(gpu).toHaveValue('');
  await gpu.fill('0.1');
  await gpu.press('Enter');
  await gpu.blur();
  await expect(section).toContainText(/This machine has [\d.]+ GB/);
  await section.evaluate((element) => element.scrollIntoView({ block: 'end' }));
  await takePictures(app, 'settings-memory');
  await expectAccessible(app);
  await app.page.reload();
  await openSettings();
  await expect(gpu).toHaveValue('0.1');
});

test('a document is read ahead, and the reading can be paused and resumed from elsewhere', async ({ app }) => {
  test.setTimeout(readingTimeoutMs);
  const folder = temporaryFolder();
  const path = join(folder.path, name);
  const book = readFileSync(join(repositoryFolder, 'assets', 'sample', 'alice-in-wonderland-chapter-1.txt'), 'utf8');
  writeFileSync(path, book.slice(0, characters));
  const chat = new ChatPage(app.page);
  const memories = new MemoriesPage(app.page);
  await app.page.getByRole('button', { name: /^New chat/ }).first().click();
  await app.choosingFile(path, () => chat.attach.click());
  await app.page.getByRole('button', { name: `Preview the text of ${name}` }).click();
  await chat.preview.getByRole('button', { name: `Read ${name} now` }).click();
  await expect(chat.preview.getByTestId('reading')).toContainText(/of [\d,]+ tokens.*tokens\/s/, { timeout: 60_000 });
  await takePictures(app, 'document-reading');

  // Cancelled, nothing of it is left.
  await memories.open();
  await memories.readings.getByRole('button', { name: `Cancel reading ${name}` }).click();
  await app.page.getByRole('alertdialog').getByRole('button', { name: 'Cancel and forget' }).click();
  await expect(memories.readings).toHaveCount(0, { timeout: 30_000 });
  await expect(memories.usage).toContainText('0 bytes');

  await chat.conversations.getByRole('button').first().click();
  await chat.documents.getByRole('button', { name: `Read ${name} now` }).click();
  await expect(chat.documents.getByRole('button', { name: `Pause reading ${name}` })).toBeVisible({ timeout: 30_000 });
  await memories.open();
  await expect(memories.readings).toHaveAttribute('data-state', 'reading', { timeout: 30_000 });
  await memories.readings.getByRole('button', { name: `Pause reading ${name}` }).click();
  await expect(memories.readings).toHaveAttribute('data-state', 'paused', { timeout: 30_000 });
  await expect(app.page.getByTestId('reading-status')).toHaveText(`Reading of ${name} paused`);
  await takePictures(app, 'memories-unfinished');
  await expectAccessible(app);

  // By keyboard, from anywhere.
  await typeCommand(app.page, 'resume');
  await app.page.keyboard.press('Enter');
  await expect(app.page.getByTestId('reading-status')).toHaveText(new RegExp(`Reading ${name}, \\d+ %`), { timeout: 30_000 });
  await app.page.getByTestId('reading-status').click();
  await takePictures(app, 'reading-status');
  await app.page.keyboard.press('Escape');
  await expect(memories.readings).toHaveCount(0, { timeout: readingTimeoutMs });
  await expect(memories.rows).toContainText(name);
  await expect(memories.rows).toHaveAttribute('data-state', 'ready');
  await expect(memories.rows).toContainText('SmolLM2 135M Instruct');
  await takePictures(app, 'memories-kept');
  await expectAccessible(app);
  folder.remove();
});

test('after a restart a question is answered from what is kept, and the answer says what it attended to', async ({ app }) => {
  test.setTimeout(readingTimeoutMs);
  await app.restart();
  const chat = new ChatPage(app.page);
  await chat.conversations.getByRole('button').first().click({ timeout: 30_000 });
  await expect(app.page.getByTestId('chip-kept')).toBeVisible({ timeout: 30_000 });
  await chat.composer.fill('What was on the label of the jar?');
  await expect(chat.contextBar).toContainText(/[\d,]+ on the GPU, [\d,]+ beyond it/, { timeout: 60_000 });
  await expect(chat.contextBar).toContainText('0 dropped');
  await chat.contextBar.click();
  await expect(app.page.getByRole('row', { name: /^Dropped 0$/ })).toBeVisible();
  await expect(app.page.getByRole('row', { name: /^Beyond it, estimated from clusters [\d,]+$/ })).toBeVisible();
  await takePictures(app, 'context-tiers');
  await expectAccessible(app);
  await app.page.keyboard.press('Escape');

  await chat.setLongestAnswer(24);
  await chat.composer.press('Enter');
  await expect(chat.lastAnswer('complete')).toBeVisible({ timeout: readingTimeoutMs });
  const statistics = app.page.getByTestId('statistics').last();
  await expect(statistics).toContainText(/[5-9]\d\d from memory/);
  await expect(statistics).toContainText(/attended to [\d,]+ of [5-9]\d\d exactly, [\d,]+ estimated, 0 dropped/);
  await statistics.click();
  await expect(app.page.getByRole('row', { name: /^Policy Sketch$/ })).toBeVisible();
  await expect(app.page.getByRole('row', { name: /^Fetched while answering/ })).toContainText('from RAM');
  await takePictures(app, 'answer-tiers');
  await app.page.keyboard.press('Escape');
});

test('the policy is chosen by what it does, and what it drops is said', async ({ app }) => {
  const chat = new ChatPage(app.page);
  await app.page.getByRole('button', { name: 'Settings of this chat' }).click();
  const picker = app.page.getByRole('button', { name: /^How what lies beyond the GPU is attended to/ });
  await expect(picker).toHaveText('Default (sketch, 2 %)');
  await expectAccessible(app);
  await picker.click();
  await expect(app.page.getByRole('menuitemradio')).toHaveCount(8);
  await takePictures(app, 'policy-picker');
  await app.page.getByRole('menuitemradio', { name: /^Window/ }).click();
  await expect(picker).toHaveText('Window');
  await app.page.keyboard.press('Escape');
  await expect(chat.contextBar).toContainText(/[1-9][\d,]* dropped/, { timeout: 30_000 });
  await chat.contextBar.click();
  await expect(app.page.getByRole('row', { name: /^Dropped, because the policy “window” attends to the first and the latest tokens only [\d,]+$/ })).toBeVisible();
  await takePictures(app, 'context-dropped');
  await app.page.keyboard.press('Escape');
});

test('a question does not wait for the end of a reading: it is answered from what is read so far, and says so', async ({ app }) => {
  test.setTimeout(readingTimeoutMs);
  const folder = temporaryFolder();
  const path = join(folder.path, 'Alice, further on.txt');
  const book = readFileSync(join(repositoryFolder, 'assets', 'sample', 'alice-in-wonderland-chapter-1.txt'), 'utf8');
  writeFileSync(path, book.slice(characters, 4 * characters));
  const chat = new ChatPage(app.page);
  await app.page.getByRole('button', { name: /^New chat/ }).first().click();
  await app.choosingFile(path, () => chat.attach.click());
  await chat.documents.getByRole('button', { name: 'Read Alice, further on.txt now' }).click();
  const soFar = app.page.getByTestId('read-so-far');
  await expect(soFar).toContainText(/the first [\d,]+ of [\d,]+ tokens/, { timeout: 60_000 });
  const choice = soFar.getByRole('switch', { name: 'Answer from what is read so far' });
  await expect(choice).toBeChecked();
  await choice.click();
  await expect(soFar).toContainText('The rest is read before the answer.');
  await choice.click();
  await chat.setLongestAnswer(8);
  await chat.composer.fill('What did she find?');
  await takePictures(app, 'read-so-far');
  await expectAccessible(app);
  await chat.composer.press('Enter');
  await expect(chat.lastAnswer('complete')).toBeVisible({ timeout: readingTimeoutMs });
  await expect(chat.lastAnswer('complete')).toContainText(/Answered from the first [\d,]+ of [\d,]+ tokens of Alice, further on\.txt; the rest had not been read yet\./);
  await expect(chat.lastAnswer('complete').getByRole('button', { name: 'Answer from all of it' })).toBeEnabled();
  await takePictures(app, 'answer-so-far');
  // The reading went on by itself.
  await chat.documents.getByRole('button', { name: 'Pause reading Alice, further on.txt' }).click({ timeout: 30_000 });
  folder.remove();
});

test('readings wait for one another, and go on after quitting', async ({ app }) => {
  test.setTimeout(readingTimeoutMs);
  const chat = new ChatPage(app.page);
  await app.choosingFile(join(import.meta.dirname, 'data', 'lighthouse.txt'), () => chat.attach.click());
  await chat.documents.getByRole('button', { name: 'Read lighthouse.txt now' }).click();
  await chat.documents.getByRole('button', { name: 'Resume reading Alice, further on.txt' }).click();
  await expect(chat.documents.getByRole('button', { name: /^Pause reading/ })).toHaveCount(2);
  await app.restart();

  const memories = new MemoriesPage(app.page);
  await memories.open();
  const [first, second] = [memories.readings.filter({ hasText: 'Alice, further on.txt' }), memories.readings.filter({ hasText: 'lighthouse.txt' })];
  // The one that was asked for first, where it was.
  await expect(first).toHaveAttribute('data-state', 'reading', { timeout: 60_000 });
  await expect(second).toHaveAttribute('data-state', 'queued');
  await takePictures(app, 'memories-queue');
  await expectAccessible(app);
  await first.getByRole('button', { name: 'Pause reading Alice, further on.txt' }).click();
  await expect(memories.rows.filter({ hasText: 'lighthouse.txt' })).toHaveAttribute('data-state', 'ready', { timeout: readingTimeoutMs });
  await expect(first).toHaveAttribute('data-state', 'paused');
});

test('no screen was refused anything by the content security policy', ({ app }) => {
  expect(app.policyViolations).toEqual([]);
});
