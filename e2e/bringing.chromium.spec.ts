/** Documents by drag and drop and by the clipboard; several in one chat, asked about together, found by the search. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expectAccessible } from './harness/accessible.ts';
import { dragFiles, pasteFile, pastePicture, pasteText } from './harness/bringing.ts';
import { takePictures } from './harness/pictures.ts';
import { repositoryFolder, temporaryFolder } from './harness/runningApp.ts';
import { expect, test } from './harness/test.ts';
import { ChatPage } from './pages/chatPage.ts';
import { FirstRunPage } from './pages/firstRunPage.ts';

test.describe.configure({ mode: 'serial' });
// The same app as the reader's.
test.use({ story: 'reader' });

const lighthouse = join(import.meta.dirname, 'data', 'lighthouse.txt');
const sales = join(repositoryFolder, 'host', 'documents', 'testdata', 'sales.csv');

test('files and a folder are dropped on the window, wherever they are dropped', async ({ app }) => {
  const { page } = app;
  const chat = new ChatPage(page);
  await new FirstRunPage(page).completeIfShown();
  await page.getByRole('button', { name: /^New chat/ }).first().click();
  const zone = page.getByTestId('drop-zone');
  const hesitant = await dragFiles(page, [lighthouse]);
  await expect(zone).toContainText('Drop to attach');
  await takePictures(app, 'drop-zone');
  await hesitant.leave();
  await expect(zone).toBeHidden();
  await expect(chat.documents).toHaveCount(0);

  // From another screen a drop leads to the chat.
  await page.keyboard.press('ControlOrMeta+,');
  await expect(page.getByRole('heading', { name: 'Settings' })).toBeVisible();
  await (await dragFiles(page, [lighthouse, sales])).drop();
  await expect(chat.documents).toHaveCount(2);
  await expect(chat.documents.filter({ hasText: 'lighthouse.txt' })).toBeVisible();

  const folder = temporaryFolder();
  const project = join(folder.path, 'dropped project');
  mkdirSync(join(project, 'src'), { recursive: true });
  writeFileSync(join(project, 'src', 'main.ts'), 'export const answer = 42;\n');
  await (await dragFiles(page, [project])).drop();
  await chat.documents.filter({ hasText: 'dropped project' }).getByRole('button', { name: /^Preview/ }).click();
  await expect(chat.preview).toContainText('export const answer = 42;');
  folder.remove();
});

test('a file that was copied is pasted into the question, a picture is refused in words', async ({ app }) => {
  const chat = new ChatPage(app.page);
  await pasteFile(chat.composer, { name: 'recipe.md', type: 'text/markdown', content: '# Seed cake\n\nCaraway and patience.' });
  await expect(chat.documents.filter({ hasText: 'recipe.md' })).toBeVisible();
  await expect(chat.composer).toHaveValue('');
  await pastePicture(chat.composer);
  const refused = app.page.getByTestId('refused-document');
  await expect(refused).toContainText('image.png');
  await refused.getByRole('button').click();
  await expect(chat.documents).toHaveCount(4);
});

test('a text as long as a document is pasted as one, or into the question', async ({ app }) => {
  const { page } = app;
  const chat = new ChatPage(page);
  const book = readFileSync(join(repositoryFolder, 'assets', 'sample', 'alice-in-wonderland-chapter-1.txt'), 'utf8').slice(0, 6500);
  await pasteText(chat.composer, 'A short note. ');
  await expect(chat.composer).toHaveValue('A short note. ');
  await pasteText(chat.composer, book);
  await expect(page.getByText('You pasted 6,500 characters.')).toBeVisible();
  await takePictures(app, 'paste-offer');
  await expectAccessible(app);
  await page.getByRole('button', { name: 'Paste into the question' }).click();
  await expect(chat.composer).toHaveValue(`A short note. ${book}`);
  await chat.composer.fill('');
  await pasteText(chat.composer, book);
  await page.getByRole('button', { name: 'Attach as a document' }).click();
  await expect(chat.documents).toHaveCount(5);
  await chat.documents.last().getByRole('button', { name: /^Preview/ }).click();
  await expect(chat.preview).toContainText('Alice was beginning to get very tired');
  await expect(chat.composer).toHaveValue('');
});

test('documents leave the chat again, and one question is answered from those that stay', async ({ app }) => {
  test.setTimeout(300_000);
  const { page } = app;
  const chat = new ChatPage(page);
  for (let count = await chat.documents.count(); count > 2; count -= 1) {
    await chat.documents.last().getByRole('button', { name: /^Remove .* from this chat$/ }).click();
    await expect(chat.documents).toHaveCount(count - 1);
  }
  await chat.setLongestAnswer(24);
  await chat.composer.fill('What is the password to the library?');
  await chat.contextBar.click();
  await expect(page.getByRole('row', { name: /^lighthouse\.txt 2\d\d/ })).toBeVisible({ timeout: 60_000 });
  await expect(page.getByRole('row', { name: /^sales\.csv \d+/ })).toBeVisible();
  await page.keyboard.press('Escape');
  await chat.composer.press('Enter');
  await expect(chat.lastAnswer('complete')).toBeVisible({ timeout: 240_000 });
  await expect(chat.lastText).toContainText('thistle');
});

test('a book that takes a while joins the chat that it was dropped on, and leads nobody back there', async ({ app }) => {
  const { page } = app;
  const chat = new ChatPage(page);
  const before = await chat.conversations.count();
  const folder = temporaryFolder();
  const book = join(folder.path, 'long.txt');
  writeFileSync(book, Array.from({ length: 200_000 }, (_, line) => `${line}: the tide came in and the tide went out, and nobody counted the ships.\n`).join(''));
  await page.getByRole('button', { name: /^New chat/ }).first().click();
  await expect(chat.documents).toHaveCount(0);
  await (await dragFiles(page, [book])).drop();
  await page.keyboard.press('ControlOrMeta+,');
  await expect(page.getByRole('heading', { name: 'Settings' })).toBeVisible();
  // Its chat is begun when it is there.
  await expect(chat.conversations).toHaveCount(before + 1, { timeout: 60_000 });
  await expect(page.getByRole('heading', { name: 'Settings' })).toBeVisible();
  await chat.conversations.getByRole('button', { name: 'New chat', exact: true }).click();
  await expect(chat.documents).toHaveText(/long\.txt/);
  folder.remove();
});

test('the search finds words in documents too, and opens the document there', async ({ app }) => {
  const { page } = app;
  const { preview } = new ChatPage(page);
  await page.keyboard.press('ControlOrMeta+Shift+f');
  const field = page.getByRole('combobox', { name: 'Search chats and documents' });
  const result = page.getByTestId('search-result').filter({ hasText: 'lighthouse.txt' });
  // Documents are indexed a moment after they came.
  await expect(async () => {
    await field.fill('');
    await field.fill('grandmother stair');
    await expect(result).toHaveCount(1, { timeout: 2000 });
  }).toPass({ timeout: 30_000 });
  await expect(result.locator('mark')).toHaveText(['grandmother', 'stair']);
  await takePictures(app, 'search-documents');
  await field.press('Enter');
  await expect(preview.getByTestId('reader-mark').first()).toBeInViewport();
  await expect(preview).toContainText('because his grandmother had told him');
});
