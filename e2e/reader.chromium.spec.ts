/** Documents of every format: brought in, looked at as pages and as text, found in, counted before they are sent. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expectAccessible } from './harness/accessible.ts';
import { takePictures } from './harness/pictures.ts';
import { repositoryFolder, temporaryFolder } from './harness/runningApp.ts';
import { expect, test } from './harness/test.ts';
import { ChatPage } from './pages/chatPage.ts';
import { FirstRunPage } from './pages/firstRunPage.ts';

test.use({ story: 'reader' });

const fixture = (name: string) => join(repositoryFolder, 'host', 'documents', 'testdata', name);

test('a PDF is shown as its pages, with what it will cost to read', async ({ app }) => {
  const { page } = app;
  await new FirstRunPage(page).completeIfShown();
  const chat = new ChatPage(page);
  await page.getByRole('button', { name: /^New chat/ }).first().click();
  await app.choosingFile(fixture('office.pdf'), () => chat.attach.click());
  await chat.documents.first().getByRole('button', { name: /^Preview/ }).click();
  await expect(chat.preview.getByTestId('pdf-page').first()).toHaveAttribute('data-state', 'drawn', { timeout: 30_000 });
  const facts = chat.preview.getByTestId('document-facts');
  await expect(facts).toContainText('Pages4');
  await expect(facts).toContainText('Characters8,9');
  await expect(facts).toContainText(/Tokens2,[23]\d\d/, { timeout: 60_000 });
  await expect(facts).toContainText(/On disk[\d.]+ KB \+ about [\d.]+ MB once read/);
  await expect(facts).toContainText(/Time to read(known after the first reading|\d+)/);
  // The text over the page is there to be selected and read aloud.
  await expect(chat.preview.locator('.textLayer').first()).toContainText('Down the Rabbit-Hole');
  await takePictures(app, 'reader-pages');
  await expectAccessible(app);
});

test('a passage is found, and marked as one block where it stands', async ({ app }) => {
  const { preview } = new ChatPage(app.page);
  const find = preview.getByRole('textbox', { name: 'Find in the document' });
  await find.fill('tumbling down stairs! How brave they’ll all think me at home! Why, I wouldn’t say anything');
  await find.press('Enter');
  await expect(preview.getByTestId('matches')).toHaveText('1 of 1');
  const mark = preview.getByTestId('reader-mark');
  await expect(mark).toHaveCount(1);
  await expect(mark).toBeInViewport();
  // The mark covers what another layer of the page says is there.
  const words = preview.locator('.textLayer span', { hasText: 'tumbling down' }).first();
  const [outer, inner] = await Promise.all([mark.boundingBox(), words.boundingBox()]);
  expect(outer && inner && outer.y <= inner.y + 2 && inner.y + inner.height <= outer.y + outer.height + 2).toBe(true);
  await preview.getByRole('button', { name: 'Wider' }).click();
  await expect(mark).toHaveCount(1);
  await expect(preview.getByTestId('pdf-page').first()).toHaveAttribute('data-state', 'drawn');
  await takePictures(app, 'reader-passage');
  await preview.getByRole('radio', { name: 'Text' }).click();
  await expect(preview.locator('mark')).toHaveText(/^tumbling down stairs!.*say anything$/);
  await expect(mark).toBeInViewport();
  await takePictures(app, 'reader-text');
  await expectAccessible(app);
  await preview.getByRole('button', { name: 'Narrower' }).click();
});

test('one goes to a heading and to a page', async ({ app }) => {
  const { preview } = new ChatPage(app.page);
  await preview.getByRole('button', { name: 'Contents' }).click();
  await takePictures(app, 'reader-contents');
  await app.page.getByRole('list', { name: 'Contents' }).getByRole('button', { name: 'The end of it' }).click();
  await expect(preview.getByText('The end of it')).toBeInViewport();
  await preview.getByRole('radio', { name: 'Pages' }).click();
  const field = preview.getByRole('textbox', { name: 'Go to page' });
  await field.fill('2');
  await field.press('Enter');
  await expect(preview.locator('[data-testid="pdf-page"][data-page="2"]')).toBeInViewport();
  await expect(field).toHaveValue('2');
});

test('an EPUB, office files, a web page, Markdown and CSV join the same chat', async ({ app }) => {
  const chat = new ChatPage(app.page);
  for (const [name, said] of [
    ['alice.epub', 'Down the Rabbit-Hole'],
    ['sales.xlsx', 'Teapots'],
    ['slides.pptx', 'Say that it is always six o’clock.'],
    ['alice.html', 'Down the Rabbit-Hole'],
    ['alice.docx', 'Down the Rabbit-Hole'],
    ['alice.md', 'Down the Rabbit-Hole'],
    ['sales.csv', 'Teapots'],
  ] as const) {
    await app.choosingFile(fixture(name), () => chat.attach.click());
    await chat.documents.filter({ hasText: name }).getByRole('button', { name: /^Preview/ }).click();
    await expect(chat.preview).toContainText(said);
    if (name === 'sales.xlsx') await takePictures(app, 'reader-sheet');
  }
  await expect(chat.documents).toHaveCount(8);
});

test('a folder of code comes in with what its .gitignore leaves in', async ({ app }) => {
  const chat = new ChatPage(app.page);
  const folder = temporaryFolder();
  const project = join(folder.path, 'project');
  mkdirSync(join(project, 'src'), { recursive: true });
  writeFileSync(join(project, '.gitignore'), '*.log\n');
  writeFileSync(join(project, 'noise.log'), 'never');
  writeFileSync(join(project, 'src', 'main.ts'), 'export const answer = 42;\n');
  await app.choosingFile(project, () => app.page.getByRole('button', { name: 'Attach a folder' }).click());
  const chip = chat.documents.filter({ hasText: 'project' });
  await chip.getByRole('button', { name: /^Preview/ }).click();
  await expect(chat.preview).toContainText('export const answer = 42;');
  await expect(chat.preview).toContainText('src/main.ts');
  await expect(chat.preview).not.toContainText('never');
  await expect(chat.preview.getByTestId('document-facts')).toContainText('Files2');
  await takePictures(app, 'reader-folder');
  folder.remove();
});

test('a document that misbehaves is refused in words, and nothing of it stays', async ({ app }) => {
  const folder = temporaryFolder();
  const path = join(folder.path, 'torn.pdf');
  writeFileSync(path, '%PDF-1.7 and nothing else');
  const chat = new ChatPage(app.page);
  await app.choosingFile(path, () => chat.attach.click());
  const refused = app.page.getByTestId('refused-document');
  await expect(refused).toContainText('“torn.pdf” cannot be read: Invalid PDF structure.');
  await expect(refused).toBeInViewport();
  await takePictures(app, 'document-refused');
  await expectAccessible(app);
  await refused.getByRole('button').click();
  await expect(chat.documents).toHaveCount(9);
  folder.remove();
});

test('the content security policy refused nothing', ({ app }) => {
  expect(app.policyViolations).toEqual([]);
});
