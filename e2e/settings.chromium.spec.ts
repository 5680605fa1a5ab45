/** What is set: the API that other programs call, keys of one's own, presets, contrast; all of it by keyboard and zoomed. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import OpenAI from 'openai';
import { expectAccessible } from './harness/accessible.ts';
import { takePictures } from './harness/pictures.ts';
import { type RunningApp, temporaryFolder } from './harness/runningApp.ts';
import { expect, test } from './harness/test.ts';
import { ChatPage } from './pages/chatPage.ts';
import { FirstRunPage } from './pages/firstRunPage.ts';

test.describe.configure({ mode: 'serial' });
test.use({ story: 'settings' });

test('the API answers programs that have the key, once it is switched on', async ({ app }) => {
  const { page } = app;
  await new FirstRunPage(page).completeIfShown();
  await page.keyboard.press('ControlOrMeta+,');
  const section = page.getByRole('region', { name: 'Local API' });
  const port = section.getByRole('spinbutton', { name: 'Port' });
  await port.fill('0');
  await port.press('Enter');
  await section.getByRole('switch', { name: 'Answer other programs' }).click();
  const address = await section.getByTestId('api-address').innerText();
  await section.getByRole('button', { name: 'Show the key' }).click();
  const key = await section.getByTestId('api-key').innerText();
  const ask = (bearer: string, headers = {}) => page.request.get(`${address}/models`, { headers: { authorization: `Bearer ${bearer}`, ...headers } });
  expect((await ask(key)).status()).toBe(200);
  // Web pages are refused, whatever they know.
  expect((await ask(key, { origin: 'http://evil.example' })).status()).toBe(403);
  await expectAnswers(new OpenAI({ baseURL: address, apiKey: key, maxRetries: 0, timeout: 60_000 }));
  await section.scrollIntoViewIfNeeded();
  await takePictures(app, 'settings-api');
  await section.getByRole('button', { name: 'New key' }).click();
  await page.getByRole('alertdialog').getByRole('button', { name: 'New key' }).click();
  await expect.poll(async () => (await ask(key)).status()).toBe(401);
  await expect(section.getByTestId('api-key')).not.toHaveText(key);
  expect((await ask(await section.getByTestId('api-key').innerText())).status()).toBe(200);
  await section.getByRole('switch', { name: 'Answer other programs' }).click();
  await expect(section.getByTestId('api-address')).toBeHidden();
  await expect(ask(key)).rejects.toThrow();
});

test('a shortcut is another one from then on, and no two are the same', async ({ app }) => {
  const { page } = app;
  const row = page.locator('[data-action="palette.open"]');
  await row.getByRole('button', { name: /^Change the keys/ }).click();
  await page.keyboard.press('ControlOrMeta+b');
  await expect(row).toContainText('Ctrl+B belongs to “Show or hide the sidebar”.');
  await page.keyboard.press('ControlOrMeta+Shift+y');
  await expect(row).toContainText('Ctrl+Shift+Y');
  await takePictures(app, 'settings-shortcuts');
  await page.keyboard.press('ControlOrMeta+k');
  await expect(page.getByRole('dialog')).toBeHidden();
  await page.keyboard.press('ControlOrMeta+Shift+y');
  await expect(page.getByRole('dialog', { name: 'Commands' })).toBeVisible();
  await page.keyboard.press('Escape');
  await page.getByRole('button', { name: 'Restore all' }).click();
  await expect(row).toContainText('Ctrl+K');
});

test('a preset is made, and taken over into a chat', async ({ app }) => {
  const { page } = app;
  await page.getByRole('button', { name: 'New preset' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('Name').fill('Quotes only');
  await dialog.getByLabel('System prompt').fill('Answer with quotations only.');
  await dialog.getByRole('button', { name: 'Save' }).click();
  await expect(page.getByTestId('preset')).toContainText('Answer with quotations only.');
  await page.getByRole('button', { name: /^New chat/ }).first().click();
  await page.getByRole('button', { name: 'Settings of this chat' }).click();
  await page.getByRole('combobox', { name: 'Preset' }).selectOption('Quotes only');
  await expect(page.getByRole('textbox', { name: 'System prompt' })).toHaveValue('Answer with quotations only.');
  await takePictures(app, 'chat-settings');
  await expectAccessible(app);
  await page.keyboard.press('Escape');
});

test('presets go out as JSON and come back', async ({ app }) => {
  const { page } = app;
  await page.keyboard.press('ControlOrMeta+,');
  const section = page.getByRole('region', { name: 'Presets' });
  const download = page.waitForEvent('download');
  await section.getByRole('button', { name: 'Export' }).click();
  const folder = temporaryFolder();
  const path = join(folder.path, 'presets.json');
  await (await download).saveAs(path);
  await section.getByRole('button', { name: 'Delete Quotes only' }).click();
  await expect(section.getByTestId('preset')).toHaveCount(0);
  await app.choosingFile(path, () => section.getByRole('button', { name: 'Import' }).click());
  await expect(section.getByTestId('preset')).toContainText('Answer with quotations only.');
  folder.remove();
});

test('offline nothing goes out, and what went out before is listed', async ({ app }) => {
  const { page } = app;
  const offline = page.getByRole('switch', { name: 'Offline' });
  await offline.click();
  await expect(page.getByText('Offline', { exact: true }).last()).toBeVisible();
  await page.getByRole('button', { name: /^Models/ }).click();
  await page.getByRole('radio', { name: 'Find at the hub' }).click();
  await page.getByRole('searchbox', { name: 'Search' }).fill('sedge');
  await page.keyboard.press('Enter');
  await expect(page.getByRole('alert')).toContainText('Longleaf is set to stay offline.');
  await page.keyboard.press('ControlOrMeta+,');
  await offline.click();
  await page.getByText(/requests? ha(s|ve) left this machine/).click();
  const requests = page.getByRole('region', { name: 'Privacy' }).getByRole('row');
  await expect(requests.filter({ hasText: 'download SmolLM2' }).first()).toBeVisible();
  // The search that was refused never went out.
  await expect(requests.filter({ hasText: 'search for models' })).toHaveCount(0);
  await takePictures(app, 'settings-requests');
});

test('where the time goes is measured and shown, kernel by kernel', async ({ app }) => {
  const { page } = app;
  await page.keyboard.press('ControlOrMeta+,');
  const section = page.getByRole('region', { name: 'Where the time goes' });
  await section.getByRole('button', { name: 'Measure' }).click();
  const [reading, decoding] = ['reading', 'decoding'].map((phase) => section.getByTestId(`timeline-${phase}`));
  await expect(reading).toBeVisible({ timeout: 60_000 });
  // Thirty layers of several kernels each, which for a token may be one.
  expect(await reading.locator('rect').count()).toBeGreaterThan(120);
  await expect(reading.getByRole('row', { name: /^attention/ })).toBeVisible();
  expect(await decoding.locator('rect').count()).toBeGreaterThan(30);
  await expect(decoding.getByRole('row', { name: /^logits/ })).toBeVisible();
  await section.scrollIntoViewIfNeeded();
  await takePictures(app, 'settings-timeline');
  await expectAccessible(app);
});

test('with high contrast the colours are others', async ({ app }) => {
  const { page } = app;
  await page.keyboard.press('ControlOrMeta+,');
  await page.getByRole('radio', { name: 'High contrast' }).click();
  await expect(page.locator('html')).toHaveAttribute('data-contrast', 'more');
  await takePictures(app, 'settings-contrast');
  await expectAccessible(app);
  await page.getByRole('radio', { name: 'System' }).click();
});

test('the theme is dark, light, or as the system has it, and stays', async ({ app }) => {
  const choose = (theme: string) => app.page.getByRole('radio', { name: theme, exact: true }).click();
  const isDark = () => app.page.evaluate(() => Number(/\d+/.exec(getComputedStyle(document.body).backgroundColor)) < 128);
  await choose('Dark');
  await expect.poll(isDark).toBe(true);
  await app.restart();
  // The window of another browser, which remembers nothing.
  await expect.poll(isDark).toBe(true);
  await app.page.emulateMedia({ colorScheme: 'dark' });
  await app.page.keyboard.press('ControlOrMeta+,');
  await choose('Light');
  await expect.poll(isDark).toBe(false);
  await choose('System');
  await expect.poll(isDark).toBe(true);
  await app.page.emulateMedia({ colorScheme: 'light' });
  await expect.poll(isDark).toBe(false);
});

test('the whole window is in the language that was chosen', async ({ app }) => {
  const { page } = app;
  const choose = (label: string, language: string) => page.getByRole('combobox', { name: label, exact: true }).selectOption(language);
  await choose('Language', 'de');
  await expect(page.getByRole('heading', { name: 'Einstellungen' })).toBeVisible();
  await expect(page.locator('html')).toHaveAttribute('lang', 'de');
  await takePictures(app, 'settings-german');
  await page.keyboard.press('/');
  await expect(page.getByRole('textbox', { name: 'Frage', exact: true })).toBeFocused();
  await takePictures(app, 'chat-german');
  await expectRefusalInWords(app, 'Dokumente anhängen', '„notes.odt“ ist ein OpenDocument-Text; das liest Longleaf nicht.');
  await takePictures(app, 'refused-german');
  await page.keyboard.press('ControlOrMeta+,');
  await choose('Sprache', 'ja');
  await expect(page.getByRole('heading', { name: '設定' })).toBeVisible();
  await takePictures(app, 'settings-japanese');
  await page.keyboard.press('/');
  await expect(page.getByRole('textbox', { name: '質問', exact: true })).toBeFocused();
  await takePictures(app, 'chat-japanese');
  await expectRefusalInWords(app, '文書を添付', '「notes.odt」はOpenDocument テキストで、Longleaf では読めません。');
  await expectAccessible(app);
  await page.keyboard.press('ControlOrMeta+,');
  await choose('言語', 'en');
  await expect(page.getByRole('heading', { name: 'Settings' })).toBeVisible();
});

test('at 200 % everything is still there', async ({ app }) => {
  const { page } = app;
  // What a browser's zoom does to a window of 1280 × 860: half as many pixels of style sheets each way.
  await page.setViewportSize({ width: 640, height: 430 });
  await page.getByRole('region', { name: 'Local API' }).scrollIntoViewIfNeeded();
  await takePictures(app, 'settings-zoomed');
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(640);
  await page.keyboard.press('/');
  await expect(new ChatPage(page).composer).toBeInViewport();
  await takePictures(app, 'chat-zoomed');
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(640);
  await expectAccessible(app);
  await page.setViewportSize({ width: 1280, height: 860 });
});

test('nothing on the way was refused by the content security policy', ({ app }) => {
  expect(app.policyViolations).toEqual([]);
});

/** As any program that knows OpenAI's API would use it. */
async function expectAnswers(client: OpenAI): Promise<void> {
  const model = (await client.models.list()).data[0]?.id ?? '';
  const stream = await client.chat.completions.create({ model, messages: [{ role: 'user', content: 'Say hello.' }], max_tokens: 6, stream: true, stream_options: { include_usage: true } });
  let [words, usage]: [string, OpenAI.CompletionUsage | null] = ['', null];
  for await (const { choices, usage: counts } of stream) {
    words += choices[0]?.delta.content ?? '';
    usage = counts ?? usage;
  }
  expect(words).toMatch(/\w/);
  expect(usage?.completion_tokens).toBeGreaterThan(0);
  expect(usage?.completion_tokens).toBeLessThanOrEqual(6);
  const { id } = await client.post<{ id: string }>('/documents', { body: { name: 'label.txt', text: 'The label of the bottle says DRINK ME.' } });
  const about = await client.post<OpenAI.ChatCompletion>(`/documents/${id}/ask`, { body: { model, question: 'What does the label say?', max_tokens: 12, temperature: 0 } });
  expect(about.choices[0]?.message.content).toContain('DRINK ME');
}

/** What the host says, with what stands in it. */
async function expectRefusalInWords(app: RunningApp, attach: string, words: string): Promise<void> {
  const folder = temporaryFolder();
  const path = join(folder.path, 'notes.odt');
  writeFileSync(path, 'PK');
  await app.choosingFile(path, () => app.page.getByRole('button', { name: attach, exact: true }).last().click());
  await expect(app.page.getByTestId('refused-document').last()).toContainText(words);
  folder.remove();
}
