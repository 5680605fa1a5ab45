/** What a chat answers with: system prompt and sampling of its own; an answer is stopped before it has begun. */
import type { Page } from '@playwright/test';
import { takePictures } from './harness/pictures.ts';
import { gpuWorkerOf, isRunning } from './harness/processes.ts';
import { expect, test } from './harness/test.ts';
import { ChatPage } from './pages/chatPage.ts';
import { FirstRunPage } from './pages/firstRunPage.ts';
import { typeCommand } from './pages/palette.ts';

test.describe.configure({ mode: 'serial' });
// The same app as the chat library's.
test.use({ story: 'chat library' });

const answerTimeoutMs = 120_000;

async function newChat(page: Page): Promise<void> {
  await page.getByRole('button', { name: /^New chat/ }).first().click();
}

async function setNumber(page: Page, name: string, value: number): Promise<void> {
  const field = page.getByRole('spinbutton', { name });
  await field.fill(String(value));
  await field.press('Enter');
}

async function openSettings(page: Page): Promise<void> {
  await page.getByRole('button', { name: 'Settings of this chat' }).click();
}

test('an answer is stopped while the model is loaded, and while it waits for another', async ({ app }) => {
  test.setTimeout(answerTimeoutMs * 2);
  const { page } = app;
  const chat = new ChatPage(page);
  await new FirstRunPage(page).completeIfShown();
  await newChat(page);
  // Whoever used the model before, it has to be loaded again.
  await typeCommand(page, 'restart the gpu process');
  const worker = gpuWorkerOf(app.hostProcessId());
  await page.keyboard.press('Enter');
  await expect.poll(() => isRunning(worker)).toBe(false);
  const stopped = chat.stopOnceIn('loading');
  await chat.ask('Write a long story about a lighthouse keeper.');
  await stopped;
  await expect(chat.lastAnswer('stopped')).toBeVisible({ timeout: 30_000 });
  await expect(chat.lastText).toBeHidden();

  await chat.lastAnswer('stopped').getByRole('button', { name: 'Try again' }).click();
  await expect(chat.lastText).toContainText(/\w+ \w+/, { timeout: answerTimeoutMs });
  await newChat(page);
  await chat.ask('And one about a ferry.');
  await expect(chat.phase).toHaveAttribute('data-phase', 'queued');
  await takePictures(app, 'waiting');
  await chat.stop.click();
  await expect(chat.lastAnswer('stopped')).toBeVisible({ timeout: 30_000 });
  await chat.conversations.getByText('Write a long story').click();
  await chat.stop.click();
  await expect(chat.lastAnswer('stopped')).toContainText(/\w+ \w+/, { timeout: 30_000 });
});

test('a chat keeps its own system prompt and sampling, and others begin with what was chosen for the model', async ({ app }) => {
  const { page } = app;
  const chat = new ChatPage(page);
  const temperature = page.getByRole('spinbutton', { name: 'Temperature' });
  await newChat(page);
  await chat.composer.fill('Name a colour of the sea.');
  await chat.contextBar.click();
  const systemRow = page.getByRole('row', { name: /^System prompt and header/ });
  const systemTokens = async () => Number(/header (\d+)/.exec(await systemRow.innerText().then((text) => text.replaceAll(/\s+/g, ' ')))?.[1]);
  await expect.poll(systemTokens, { timeout: 60_000 }).toBeGreaterThan(0);
  const before = await systemTokens();
  await page.keyboard.press('Escape');

  await openSettings(page);
  await page.getByRole('textbox', { name: 'System prompt' }).fill('Answer like a sailor who has seen every ocean and every harbour of the world.');
  await setNumber(page, 'Temperature', 0.7);
  await setNumber(page, 'Seed', 7);
  await setNumber(page, 'Longest answer', 12);
  await page.getByRole('button', { name: 'Use for new chats with this model' }).click();
  await page.keyboard.press('Escape');
  await chat.contextBar.click();
  await expect.poll(systemTokens).toBeGreaterThan(before + 10);
  await page.keyboard.press('Escape');

  await newChat(page);
  await openSettings(page);
  await expect(temperature).toHaveValue('0.7');
  await expect(page.getByRole('textbox', { name: 'System prompt' })).not.toHaveValue(/sailor/);
  // One changed value leaves the model's others as they are.
  await setNumber(page, 'Temperature', 0.2);
  await expect(page.getByRole('spinbutton', { name: 'Longest answer' })).toHaveValue('12');
  await page.keyboard.press('Escape');

  await page.keyboard.press('ControlOrMeta+,');
  const models = page.getByRole('region', { name: 'Sampling of single models' });
  await models.getByText('its own').click();
  await expect(models.getByRole('spinbutton', { name: 'Seed' })).toHaveValue('7');
  await models.getByRole('button', { name: 'As new chats again' }).click();
  await expect(models).toContainText('as new chats');
});

test('layers take turns to choose what comes to the GPU, where the policy can do that', async ({ app }) => {
  const { page } = app;
  await newChat(page);
  await openSettings(page);
  const policy = page.getByRole('button', { name: /^How what lies beyond the GPU is attended to/ });
  const choose = async (name: RegExp): Promise<void> => {
    await policy.click();
    await page.getByRole('menuitemradio', { name }).click();
  };
  await choose(/^Sketch/);
  await page.getByText('In turn', { exact: true }).click();
  await setNumber(page, 'A layer’s turn comes every', 16);
  await page.getByText('Graph and Quest load the model again').scrollIntoViewIfNeeded();
  await takePictures(app, 'chat-policy');
  await page.reload();
  await openSettings(page);
  await expect(page.getByRole('spinbutton', { name: 'A layer’s turn comes every' })).toHaveValue('16');
  await choose(/^Flat/);
  await expect(page.getByText('In turn', { exact: true })).toBeHidden();
  await expect(page.getByRole('spinbutton', { name: 'A layer’s turn comes every' })).toBeHidden();
  await page.keyboard.press('Escape');
});

test('the same seed gives the same answer again, and the statistics say how it ended', async ({ app }) => {
  test.setTimeout(answerTimeoutMs * 2);
  const { page } = app;
  const chat = new ChatPage(page);
  await newChat(page);
  await openSettings(page);
  await setNumber(page, 'Temperature', 1);
  await setNumber(page, 'Seed', 7);
  await setNumber(page, 'Longest answer', 12);
  await page.keyboard.press('Escape');
  await chat.ask('Name a colour of the sea.');
  await expect(chat.lastAnswer('complete')).toBeVisible({ timeout: answerTimeoutMs });
  const first = await chat.lastText.innerText();
  await chat.answers.last().getByRole('button', { name: 'Answer again' }).click();
  await expect(chat.alternative(chat.answers.last())).toHaveText('2/2', { timeout: 30_000 });
  await expect(chat.lastAnswer('complete')).toBeVisible({ timeout: answerTimeoutMs });
  await expect(chat.lastText).toHaveText(first);
  const statistics = page.getByTestId('statistics').last();
  await expect(statistics).toContainText(/\d+ tokens at [\d.]+\/s/);
  await statistics.click();
  await expect(page.getByRole('row', { name: /^Ended (finished|reached the answer limit)$/ })).toBeVisible();
  await expect(page.getByRole('row', { name: /^Answer \d+ tokens/ })).toBeVisible();
  await page.keyboard.press('Escape');
});
