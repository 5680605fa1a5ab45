/** Models of this machine: added, in folders of their own, removed; and downloads under the person's control. */
import { existsSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Page } from '@playwright/test';
import { tinyModel } from '../engine/testing/tinyModel.ts';
import { readCatalogue } from '../host/models/catalogue.ts';
import { type Proxy, startProxy } from '../host/testing/proxyServer.ts';
import { expectAccessible } from './harness/accessible.ts';
import { takePictures, takesPictures } from './harness/pictures.ts';
import { required, temporaryFolder } from './harness/runningApp.ts';
import { expect, test } from './harness/test.ts';
import { ChatPage } from './pages/chatPage.ts';
import { FirstRunPage } from './pages/firstRunPage.ts';

test.describe.configure({ mode: 'serial' });
test.use({ story: 'model files', hubBytesPerSecond: 8e6 });

/** Folders of the person's own. */
let place: ReturnType<typeof temporaryFolder>;
let elsewhere: ReturnType<typeof temporaryFolder>;
const starter = readCatalogue()[0].fileName;
let proxy: Proxy;

test.beforeAll(async () => {
  proxy = await startProxy();
  [place, elsewhere] = [temporaryFolder(), temporaryFolder()];
  symlinkSync(join(required('LONGLEAF_TEST_MODELS'), starter), join(elsewhere.path, starter));
});
test.afterAll(async () => {
  await proxy.close();
  place.remove();
  elsewhere.remove();
});

function writeModel(name: string, seed: number): string {
  const path = join(place.path, name);
  writeFileSync(path, tinyModel({ architecture: 'llama', layers: 1, seed }));
  return path;
}

const openModels = (page: Page) => page.getByRole('navigation', { name: 'Main' }).getByRole('button', { name: /^Models/ }).click();
const dialogOf = (page: Page) => page.getByRole('dialog', { name: 'Add models of this machine' });

async function addPath(page: Page, path: string, way: 'Keep in the data folder' | 'Use where they are'): Promise<void> {
  await page.getByRole('button', { name: 'Add models' }).click();
  await dialogOf(page).getByRole('radio', { name: way }).click();
  await dialogOf(page).getByLabel('File or folder', { exact: true }).fill(path);
  await page.keyboard.press('Enter');
}

/** As the page of models says it. */
async function ownFolder(page: Page): Promise<string> {
  return page.getByTestId('model-folders').getByRole('listitem').first().locator('p').nth(1).innerText();
}

test('a model that lies somewhere is used where it is, and answers', async ({ app }) => {
  const { page } = app;
  await new FirstRunPage(page).skip();
  await openModels(page);
  await addPath(page, 'models/good.gguf', 'Use where they are');
  await expect(dialogOf(page).getByRole('alert')).toContainText('“models/good.gguf” is not a whole path.');
  await takePictures(app, 'models-add');
  await expectAccessible(app);
  await page.keyboard.press('Escape');

  await addPath(page, join(elsewhere.path, starter), 'Use where they are');
  const model = page.getByTestId('model').filter({ hasText: 'SmolLM2 135M Instruct' });
  await expect(model).toContainText(`in ${elsewhere.path}`, { timeout: 30_000 });
  await expect(dialogOf(page)).toBeHidden();
  expect(readdirSync(await ownFolder(page))).toEqual([]);

  await page.getByRole('button', { name: /^New chat/ }).first().click();
  const chat = new ChatPage(page);
  await chat.setLongestAnswer(4);
  await chat.ask('What is two and two?');
  await expect(chat.lastAnswer('complete')).toBeVisible({ timeout: 60_000 });
  await expect(chat.lastText).toContainText(/\w/);
});

test('an uploaded file is kept, and so is a copy of what a folder has in it', async ({ app }) => {
  const { page } = app;
  const [uploaded] = [writeModel('uploaded.gguf', 31), writeModel('second.gguf', 32)];
  writeFileSync(join(place.path, 'torn.gguf'), tinyModel({ architecture: 'llama', layers: 1 }).subarray(0, 500));
  await openModels(page);
  await page.getByRole('button', { name: 'Add models' }).click();
  await app.choosingFile(uploaded, () => dialogOf(page).getByRole('button', { name: 'Upload a file…' }).click());
  await expect(page.getByTestId('model')).toHaveCount(2);
  expect(readdirSync(await ownFolder(page))).toEqual(['uploaded.gguf']);

  await addPath(page, place.path, 'Keep in the data folder');
  const outcome = page.getByTestId('import-outcome');
  await expect(outcome).toContainText('2 models found; 1 file cannot be used.');
  await expect(outcome.getByRole('listitem')).toContainText('torn.gguf');
  await expect(page.getByTestId('model')).toHaveCount(3);
  expect(readdirSync(await ownFolder(page))).toEqual(['second.gguf', 'uploaded.gguf']);
  await takePictures(app, 'models-added');
  await outcome.getByRole('button', { name: 'Close' }).click();
  await expect(outcome).toBeHidden();
});

test('removing a model deletes what Longleaf keeps, and leaves alone what it only uses', async ({ app }) => {
  const { page } = app;
  const kept = page.getByTestId('model').filter({ hasText: 'Tiny llama' }).first();
  const remove = async (asked: RegExp) => {
    await page.getByRole('menuitem', { name: 'Remove' }).click();
    await expect(page.getByRole('alertdialog')).toContainText(asked);
    await page.getByRole('alertdialog').getByRole('button', { name: 'Remove' }).click();
  };
  await kept.getByRole('button', { name: 'Options for Tiny llama' }).click();
  await remove(/is deleted from the data folder/);
  await expect(page.getByTestId('model')).toHaveCount(2);
  expect(readdirSync(await ownFolder(page))).toEqual(['second.gguf']);
  expect(existsSync(join(place.path, 'uploaded.gguf'))).toBe(true);
  await page.getByRole('button', { name: 'Options for SmolLM2 135M Instruct' }).click();
  await remove(/its file stays where it is/);
  await expect(page.getByTestId('model')).toHaveCount(1);
  expect(existsSync(join(elsewhere.path, starter))).toBe(true);
});

test('a second folder has models of its own, and receives downloads', async ({ app }) => {
  const { page } = app;
  await page.getByRole('button', { name: 'Add a folder' }).click();
  // Folders are used where they are unless one chooses otherwise.
  await dialogOf(page).getByLabel('File or folder', { exact: true }).fill(place.path);
  await page.keyboard.press('Enter');
  await expect(page.getByTestId('model-folders').getByRole('listitem')).toHaveCount(2);
  await expect(page.getByTestId('model').filter({ hasText: `in ${place.path}` })).toHaveCount(2);
  await page.getByRole('button', { name: `Send downloads to ${place.path}` }).click();
  await page.getByRole('radio', { name: 'Find at the hub' }).click();
  await page.getByRole('searchbox', { name: 'Search' }).fill('meadow/Sedge-Split-GGUF');
  await page.keyboard.press('Enter');
  await page.getByRole('button', { name: /^Download .* of meadow\/Sedge-Split-GGUF/ }).click();
  await expect(page.getByTestId('hub-file')).toContainText('On this machine', { timeout: 30_000 });
  expect(readdirSync(place.path).filter((name) => name.startsWith('Sedge-Split'))).toHaveLength(2);
  await page.getByRole('radio', { name: 'On this machine' }).click();
  await page.getByTestId('model-folders').scrollIntoViewIfNeeded();
  await takePictures(app, 'models-folders');
  await expectAccessible(app);
  await page.getByRole('button', { name: `Remove ${place.path} from the list` }).click();
  // What was found there leaves the list with it; what was downloaded there is Longleaf's, and stays.
  await expect(page.getByTestId('model')).toHaveCount(2);
  expect(existsSync(join(place.path, 'second.gguf'))).toBe(true);
});

test('a download goes through the proxy and no faster than was set', async ({ app, hub }) => {
  const { page } = app;
  await page.keyboard.press('ControlOrMeta+,');
  const network = page.getByRole('region', { name: 'Network' });
  const address = network.getByRole('textbox', { name: 'Proxy' });
  await address.fill('socks5://127.0.0.1:1080');
  await address.press('Enter');
  const refusal = page.getByText('The address of the proxy cannot be read.');
  await expect(refusal).toBeVisible();
  await address.fill(proxy.address);
  await address.press('Enter');
  const limit = network.getByRole('spinbutton', { name: 'Download speed at most' });
  await limit.fill('1');
  await limit.press('Enter');
  await limit.blur();
  await network.scrollIntoViewIfNeeded();
  if (takesPictures) await expect(refusal).toBeHidden();
  await takePictures(app, 'settings-network');

  await openModels(page);
  await page.getByRole('radio', { name: 'Find at the hub' }).click();
  await page.getByRole('searchbox', { name: 'Search' }).fill('meadow/Sedge-Instruct-GGUF');
  await page.keyboard.press('Enter');
  await page.getByRole('button', { name: 'Download F32 of meadow/Sedge-Instruct-GGUF' }).click();
  const megabytes = async () => Number(/([\d.]+) MB of/.exec(await page.getByTestId('download').innerText())?.[1] ?? 0);
  await expect.poll(megabytes).toBeGreaterThan(1);
  const [before, startedAtMs] = [await megabytes(), performance.now()];
  await expect.poll(megabytes).toBeGreaterThan(before + 2);
  // Shown in tenths, five times a second.
  expect(((await megabytes()) - before - 0.3) / ((performance.now() - startedAtMs) / 1000)).toBeLessThan(1.1);
  // Both hosts: the one that is asked, and the one that sends the bytes.
  expect(proxy.tunnels).toContain(new URL(hub.endpoint).host);
  expect(proxy.tunnels.filter((tunnel) => tunnel.startsWith('127.0.0.1:'))).not.toEqual([]);
});

test('offline ends it at once, and it goes on when one is back; what went out is listed', async ({ app, hub }) => {
  const { page } = app;
  await page.keyboard.press('ControlOrMeta+,');
  const offline = page.getByRole('switch', { name: 'Offline' });
  await offline.click();
  await openModels(page);
  const download = page.getByTestId('download');
  await expect(download).toHaveAttribute('data-state', 'paused');
  const asked = hub.requests.length;
  await page.getByRole('button', { name: /^Go on with the download of Sedge-Instruct-F32/ }).click();
  await expect(page.getByText('Longleaf is set to stay offline.')).toBeVisible();
  await expect(download).toHaveAttribute('data-state', 'paused');
  expect(hub.requests.length).toBe(asked);
  await page.getByRole('button', { name: /^Storage/ }).click();
  await expect(page.getByTestId('storage').getByRole('listitem', { name: 'Downloads on their way' })).toContainText(' MB');

  await page.keyboard.press('ControlOrMeta+,');
  await page.getByText(/requests? ha(s|ve) left this machine/).click();
  const requests = page.getByRole('region', { name: 'Privacy' }).getByRole('row');
  await expect(requests.filter({ hasText: 'search for models' })).toHaveCount(0);
  await expect(requests.filter({ hasText: 'look at meadow/Sedge-Instruct-GGUF' })).toContainText([`${hub.endpoint}/api/models/meadow/Sedge-Instruct-GGUF`]);
  await expect(requests.filter({ hasText: 'download Sedge-Instruct-F32' }).first()).toContainText('status');
  await offline.click();
  await openModels(page);
  await page.getByRole('button', { name: /^Go on with the download of Sedge-Instruct-F32/ }).click();
  await expect(download).toHaveAttribute('data-state', 'downloading');
});

test('a download is cancelled, and nothing of it stays', async ({ app }) => {
  const { page } = app;
  const parts = async () => readdirSync(await ownFolder(page)).filter((name) => /\.part/.test(name));
  expect(await parts()).not.toEqual([]);
  await page.getByRole('button', { name: 'Cancel the download of Sedge-Instruct-F32' }).click();
  await expect(page.getByTestId('download')).toHaveCount(0);
  await expect.poll(parts).toEqual([]);
});

test('nothing on the way was refused by the content security policy', ({ app }) => {
  expect(app.policyViolations).toEqual([]);
});
