/** Finding a model at the hub, judging it before it is downloaded, and what everything takes, as a person does it. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expectAccessible } from './harness/accessible.ts';
import { takePictures } from './harness/pictures.ts';
import { temporaryFolder } from './harness/runningApp.ts';
import { hubToken } from './harness/smallHub.ts';
import { expect, test } from './harness/test.ts';
import { ChatPage } from './pages/chatPage.ts';
import { FirstRunPage } from './pages/firstRunPage.ts';

test.describe.configure({ mode: 'serial' });
test.use({ story: 'models', hubBytesPerSecond: 8e6 });

test('a search at the hub finds models, and every file is judged before it is downloaded', async ({ app }) => {
  const { page } = app;
  await new FirstRunPage(page).skip();
  await page.getByRole('button', { name: /^Models/ }).click();
  // One of the catalogue is recommended, and of each it is said what it would take here.
  const offered = page.getByTestId('catalogue-entry');
  await expect(offered.filter({ hasText: 'Recommended here' })).toHaveCount(1, { timeout: 30_000 });
  await expect(offered.filter({ hasText: /Fits this machine|Runs here|it needs/ })).toHaveCount(await offered.count());
  await takePictures(app, 'models-here');
  await page.getByRole('radio', { name: 'Find at the hub' }).click();
  await expect(page.getByText('Search for a model, or paste the address')).toBeVisible();
  await expectAccessible(app);

  await page.getByRole('searchbox', { name: 'Search' }).fill('sedge');
  await page.keyboard.press('Enter');
  const results = page.getByTestId('hub-results');
  // What the engine does not know is left out until it is asked for.
  await expect(results.getByRole('button', { name: /^Files of/ })).toHaveCount(3);
  await page.getByRole('switch', { name: 'Only what runs here' }).click();
  await expect(results.getByRole('button', { name: /^Files of/ })).toHaveCount(4);
  await expect(results).toContainText('mamba: Longleaf does not know this architecture');

  // By keyboard alone.
  const sedge = page.getByRole('button', { name: 'Files of meadow/Sedge-Instruct-GGUF' });
  await sedge.focus();
  await page.keyboard.press('Enter');
  const files = page.getByTestId('hub-file');
  await expect(files).toHaveCount(2);
  await expect(files.nth(1).getByTestId('verdict')).toHaveAttribute('data-level', 'fits', { timeout: 20_000 });
  await expect(files.nth(1)).toContainText('8,192 tokens take');
  await page.getByLabel('Judge for a context of').selectOption('4096');
  await expect(files.nth(1)).toContainText('4,096 tokens take');
  await takePictures(app, 'models-hub');
  await expectAccessible(app);
  await files.nth(1).getByRole('button', { name: /^Fits/ }).click();
  await expect(page.getByText(/of the file were read to know this/)).toBeVisible();
  await takePictures(app, 'models-verdict');
  await page.keyboard.press('Escape');

  await page.getByRole('button', { name: 'Files of meadow/Sedge-Mamba-GGUF' }).click();
  await expect(page.getByTestId('verdict')).toHaveAttribute('data-level', 'unsupported');
  await expect(page.getByTestId('hub-file').getByRole('button', { name: /^Download/ })).toBeDisabled();
});

test('results are filtered by licence, family, size and context', async ({ app }) => {
  const { page } = app;
  const found = page.getByTestId('hub-results').getByRole('button', { name: /^Files of/ });
  // What the hub does not know of a file does not leave it out.
  for (const [filter, value, left] of [
    ['Licence', 'mit', [/Sedge-Split/, /Sedge-Mamba/]],
    ['Family', 'gemma3', [/Sedge-Split/, /Sedge-Gated/]],
    ['Size', '1000000000', [/Sedge-Instruct/, /Sedge-Split/, /Sedge-Gated/]],
    ['Context', '32768', [/Sedge-Mamba/, /Sedge-Gated/]],
  ] as const) {
    const select = page.getByRole('combobox', { name: filter, exact: true });
    await select.selectOption(value);
    await expect(found, filter).toHaveText(left);
    await select.selectOption({ index: 0 });
    await expect(found, filter).toHaveCount(4);
  }
});

test('the address of a page that is pasted finds its model', async ({ app }) => {
  const { page } = app;
  const search = page.getByRole('searchbox', { name: 'Search' });
  await page.evaluate(() => navigator.clipboard.writeText('https://huggingface.co/meadow/Sedge-Split-GGUF/tree/main'));
  await search.fill('');
  await search.press('ControlOrMeta+v');
  await search.press('Enter');
  await expect(page.getByTestId('hub-results').getByRole('button', { name: /^Files of/ })).toHaveText([/Sedge-Split/]);
  await expect(page.getByTestId('hub-file')).toContainText('in 2 parts');
  await search.fill('sedge');
  await search.press('Enter');
});

test('a download is paused, goes on and ends in a model', async ({ app }) => {
  const { page } = app;
  await page.getByRole('button', { name: 'Files of meadow/Sedge-Instruct-GGUF' }).click();
  await page.getByRole('button', { name: 'Download F32 of meadow/Sedge-Instruct-GGUF' }).click();
  const download = page.getByTestId('download');
  await expect(download).toHaveAttribute('data-state', 'downloading');
  await takePictures(app, 'models-downloading');
  await page.getByRole('button', { name: /^Pause the download of Sedge-Instruct-F32/ }).click();
  await expect(download).toHaveAttribute('data-state', 'paused');
  await expectAccessible(app);
  await page.getByRole('button', { name: /^Go on with the download of Sedge-Instruct-F32/ }).click();
  await expect(page.getByTestId('hub-file').nth(1)).toContainText('On this machine', { timeout: 30_000 });
  await page.getByRole('radio', { name: 'On this machine' }).click();
  await expect(page.getByTestId('model')).toContainText('Sedge-Instruct-F32');
});

test('a gated repository says what it needs, and opens with a token', async ({ app }) => {
  const { page } = app;
  await page.getByRole('radio', { name: 'Find at the hub' }).click();
  await page.getByRole('searchbox', { name: 'Search' }).fill('heath/Sedge-Gated-GGUF');
  await page.keyboard.press('Enter');
  const file = page.getByTestId('hub-file');
  await expect(file).toContainText('only for those who accepted its terms');
  await expect(file).toContainText('give Longleaf an access token');
  await takePictures(app, 'models-gated');
  await page.getByLabel('Access token of your account at the hub').fill(hubToken);
  await page.keyboard.press('Enter');
  await expect(page.getByText('A token is kept in a file of the data folder that only you can read')).toBeVisible();
  await expect(file.getByTestId('verdict')).toHaveAttribute('data-level', 'fits');
  await expectAccessible(app);
});

test('one page shows all bytes and takes limits, and what passes them is refused', async ({ app }) => {
  const { page } = app;
  await page.getByRole('button', { name: /^Storage/ }).click();
  const storage = page.getByTestId('storage');
  await expect(storage.getByRole('listitem', { name: 'Models' })).toContainText(/\d+\.\d MB|\d+ MB/);
  const limit = page.getByRole('spinbutton', { name: 'Limit for models' });
  await limit.fill('0.1');
  await limit.press('Enter');
  await limit.blur();
  await expect(storage.getByRole('listitem', { name: 'Models' })).toContainText('/ 100 MB');
  const documents = page.getByRole('spinbutton', { name: 'Limit for documents' });
  await documents.fill('0.1');
  await documents.press('Enter');
  await documents.blur();
  await expect(storage.getByRole('listitem', { name: 'Documents' })).toContainText('/ 100 MB');
  await takePictures(app, 'storage');
  await expectAccessible(app);

  await page.getByRole('button', { name: /^Models/ }).first().click();
  await page.getByRole('button', { name: 'Download SmolLM2 135M Instruct' }).click();
  await expect(page.getByText(/^Models may take 100\.0 MB; /)).toBeVisible();
  await page.getByRole('button', { name: /^New chat/ }).first().click();
  const folder = temporaryFolder();
  const path = join(folder.path, 'large.txt');
  writeFileSync(path, Buffer.alloc(101e6, 'a'));
  await app.choosingFile(path, () => new ChatPage(page).attach.click());
  await expect(page.getByTestId('refused-document')).toContainText(/Documents may take 100\.0 MB; .* and this one has 101/);
  folder.remove();
});
