/** Chats as one keeps them: what answers look like, folders and pins, search, export and import, a thousand messages. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Page } from '@playwright/test';
import { chatFile, formattedAnswer } from './data/chats.ts';
import { expectAccessible } from './harness/accessible.ts';
import { takePictures } from './harness/pictures.ts';
import { scroll, slowness } from './harness/scroll.ts';
import { temporaryFolder } from './harness/runningApp.ts';
import { expect, test } from './harness/test.ts';
import { ChatPage } from './pages/chatPage.ts';
import { FirstRunPage } from './pages/firstRunPage.ts';
import { typeCommand } from './pages/palette.ts';

test.describe.configure({ mode: 'serial' });
test.use({ story: 'chat library' });

const file = chatFile(Date.now());

test('chats are imported from a file', async ({ app }) => {
  await new FirstRunPage(app.page).completeIfShown();
  const folder = temporaryFolder();
  const path = join(folder.path, 'chats.json');
  writeFileSync(path, JSON.stringify(file));
  await typeCommand(app.page, 'import chats');
  await app.choosingFile(path, () => app.page.keyboard.press('Enter'));
  await expect(app.page.getByText('3 chats were imported.')).toBeVisible();
  folder.remove();
});

test('an answer shows its reasoning folded, formulas, code, tables and what happened', async ({ app }) => {
  // The thread that colours code starts with the first code.
  expect(highlightWorkers(app.page)).toBe(0);
  await app.page.getByText('Everything in an answer').click();
  const answer = new ChatPage(app.page).answers.last();
  await expect(answer.locator('.katex')).toHaveCount(2);
  await expect(answer).toContainText('The price is $5 and not $10.');
  // In colours, each a variable of the theme.
  await expect(answer.locator('pre span[style*="--code-token-keyword"]').first()).toHaveText('def');
  expect(highlightWorkers(app.page)).toBe(1);
  await expect(answer.getByRole('table')).toContainText('206,052');
  await expect(answer.locator('img')).toHaveCount(0);
  await expect(app.page.getByTestId('event')).toContainText('1,200 in RAM and on disk');

  const reasoning = answer.getByTestId('reasoning');
  await expect(reasoning.getByText('The person wants to see')).toBeHidden();
  await takePictures(app, 'answer-formats');
  await reasoning.getByText('Thought before answering').click();
  await expect(reasoning.getByText('The person wants to see')).toBeVisible();
  await answer.getByRole('button', { name: 'Copy code' }).click();
  expect(await app.page.evaluate(() => navigator.clipboard.readText())).toBe('# The sum of the first numbers\ndef triangle(n: int) -> int:\n    return n * (n + 1) // 2');
  await answer.getByRole('button', { name: 'Copy answer' }).click();
  // Without the reasoning, as Markdown.
  await expect.poll(() => app.page.evaluate(() => navigator.clipboard.readText())).toBe(formattedAnswer.slice(formattedAnswer.indexOf('The price')));
  await expectAccessible(app);
});

test('a chat is pinned, and put into a folder of its own', async ({ app }) => {
  const { page } = app;
  const options = (name: string) => page.getByRole('button', { name: `Options for ${name}` });
  const list = page.getByRole('list', { name: 'Conversations' });
  await options('Everything in an answer').click();
  await page.getByRole('menuitem', { name: 'Pin', exact: true }).click();
  await expect(list.getByText('Pinned')).toBeVisible();
  await page.getByText('図書館について').hover();
  await options('図書館について').click();
  await page.getByRole('menuitem', { name: 'Move to folder' }).click();
  await page.getByRole('menuitem', { name: 'New folder' }).click();
  const folder = list.getByRole('button', { name: 'New folder', exact: true });
  await expect(folder).toHaveAttribute('aria-expanded', 'true');
  await folder.press('F2');
  await page.getByRole('textbox', { name: 'Name of the folder' }).fill('Libraries');
  await page.keyboard.press('Enter');
  const renamed = list.getByRole('button', { name: 'Libraries', exact: true });
  await renamed.press('ArrowLeft');
  await expect(list.getByText('図書館について')).toBeHidden();
  await renamed.press('ArrowRight');
  await expect(list.getByText('図書館について')).toBeVisible();
  await takePictures(app, 'folders');
});

test('a chat is unpinned, renamed, deleted and had back by its menu', async ({ app }) => {
  const { page } = app;
  const list = page.getByRole('list', { name: 'Conversations' });
  const choose = async (chat: string, item: string) => {
    await list.getByText(chat).hover();
    await page.getByRole('button', { name: `Options for ${chat}` }).click();
    await page.getByRole('menuitem', { name: item }).click();
  };
  await choose('Everything in an answer', 'Unpin');
  await expect(list.getByText('Pinned')).toBeHidden();
  await choose('Everything in an answer', 'Pin');
  await choose('図書館について', 'Rename');
  await page.getByRole('textbox', { name: 'Name of the chat' }).fill('図書館の場所');
  await page.keyboard.press('Enter');
  await choose('図書館の場所', 'Delete');
  await expect(list.getByText('図書館の場所')).toBeHidden();
  await page.getByRole('button', { name: 'Undo' }).click();
  await expect(list.getByText('図書館の場所')).toBeVisible();
});

test('search finds words in the middle of a chat and opens them there', async ({ app }) => {
  const { page } = app;
  await page.keyboard.press('ControlOrMeta+Shift+f');
  const field = page.getByRole('combobox', { name: 'Search chats and documents' });
  await field.fill('図書館');
  await expect(page.getByTestId('search-result')).toHaveCount(2);
  await field.fill('"answer 501" harpoon');
  await expect(page.getByTestId('search-result')).toHaveCount(1);
  await expect(page.getByTestId('search-result').locator('mark').first()).toHaveText('Answer 501');
  await takePictures(app, 'search');
  await expectAccessible(app);
  await field.press('Enter');
  const found = page.locator('[data-message="thousand-501"]');
  await expect(found).toBeInViewport();
  await expect(found).toContainText('Answer 501.');
});

test('of a thousand messages only those in sight are in the page, from the last to the first', async ({ app }) => {
  const { page } = app;
  await page.getByRole('button', { name: 'Jump to the latest' }).click();
  await expect(page.locator('[data-message="thousand-999"]')).toBeInViewport();
  expect(await page.locator('[data-message]').count()).toBeLessThan(40);
  const log = page.getByRole('log');
  await log.focus();
  await page.keyboard.press('Home');
  await expect(page.locator('[data-message="thousand-0"]')).toBeInViewport();
  expect(await page.locator('[data-message]').count()).toBeLessThan(40);
});

test('scrolling through a thousand messages costs no frame more than 50 ms', async ({ app }) => {
  const { page } = app;
  const log = page.getByRole('log');
  for (const [key, stepPixels] of [['Home', 400], ['End', -400], ['Home', 2500]] as const) {
    await log.focus();
    await page.keyboard.press(key);
    const slower = await slowness(page);
    const scrolled = await scroll(page, log, { turns: 40, stepPixels });
    console.log(JSON.stringify({ bench: 'scroll', messages: 1000, stepPixels, slower, ...scrolled }));
    // Of the processor's time: others on the machine lengthen it only by what they take from its caches, as they lengthen all.
    expect(scrolled.busiestFrameMs / slower).toBeLessThan(50);
  }
});

test('what is exported is what was imported', async ({ app }) => {
  const { page } = app;
  await page.getByRole('button', { name: 'Options for Everything in an answer' }).click();
  await page.getByRole('menuitem', { name: 'Export' }).click();
  const download = page.waitForEvent('download');
  await page.getByRole('menuitem', { name: 'As JSON, to import again' }).click();
  const saved = await download;
  expect(saved.suggestedFilename()).toBe('Everything in an answer.json');
  const { conversations } = JSON.parse(readFileSync(await saved.path(), 'utf8')) as typeof file;
  expect(conversations).toEqual([{ ...file.conversations[0], pinned: true }]);

  // Imported beside itself it is the same but for its names.
  await typeCommand(page, 'import chats');
  await app.choosingFile(await saved.path(), () => page.keyboard.press('Enter'));
  await expect(page.getByText('One chat was imported.')).toBeVisible();
  const all = page.waitForEvent('download');
  await typeCommand(page, 'export all chats');
  await page.keyboard.press('Enter');
  const exported = JSON.parse(readFileSync(await (await all).path(), 'utf8')) as typeof file;
  expect(exported.conversations).toHaveLength(4);
  const [first, second] = exported.conversations.filter(({ title }) => title === 'Everything in an answer');
  expect(first.id).not.toBe(second.id);
  expect(withoutNames(first)).toEqual(withoutNames(second));
});

test('exported as Markdown a chat can be read anywhere', async ({ app }) => {
  const { page } = app;
  await page.getByRole('button', { name: 'Options for Everything in an answer' }).first().click();
  await page.getByRole('menuitem', { name: 'Export' }).click();
  const download = page.waitForEvent('download');
  await page.getByRole('menuitem', { name: 'As Markdown' }).click();
  const saved = await download;
  expect(saved.suggestedFilename()).toBe('Everything in an answer.md');
  const written = readFileSync(await saved.path(), 'utf8');
  expect(written).toMatch(/^# Everything in an answer\n\n## Question \([-\d]+ [\d:]+ UTC\)\n\nShow me everything\.\n\n## SmolLM2 135M Instruct \(/);
  expect(written).toContain('\n\n> The person wants to see **everything**.\n\n');
  expect(written).toContain(formattedAnswer.slice(formattedAnswer.indexOf('The price')));
  expect(written).toContain('*From here on, 1,200 tokens of keys and values lie beyond the GPU.*');
});

test('code is there without its colours, which come when they can be had', async ({ app }) => {
  const { page } = app;
  let refused = 0;
  await page.route(/highlightWorker/, (route) => {
    refused += 1;
    return route.abort();
  });
  await page.reload();
  await page.getByText('Everything in an answer').first().click();
  const code = new ChatPage(page).answers.last().locator('pre');
  await expect(code).toContainText('def triangle(n: int) -> int:');
  await expect.poll(() => refused).toBe(1);
  await expect(code.locator('span')).toHaveCount(0);
  const height = (await code.boundingBox())?.height;
  await page.unroute(/highlightWorker/);
  await expect(code.locator('span[style*="--code-token-keyword"]').first()).toHaveText('def');
  expect((await code.boundingBox())?.height).toBe(height);
});

test('nothing on the way was refused by the content security policy', ({ app }) => {
  expect(app.policyViolations).toEqual([]);
});

function highlightWorkers(page: Page): number {
  return page.workers().filter((worker) => worker.url().includes('highlightWorker')).length;
}

type FileChat = (typeof file)['conversations'][number];

/** Names of messages and events by their order. */
function withoutNames(chat: FileChat): string {
  const names = [chat.id, ...chat.messages.map(({ id }) => id), ...chat.events.map(({ id }) => id)];
  return names.reduce((text, name, index) => text.replaceAll(JSON.stringify(name), String(index)), JSON.stringify(chat));
}
