/** The main job by keyboard alone: no step touches the mouse, and what happens is told to a screen reader, politely. */
import { join } from 'node:path';
import type { Page } from '@playwright/test';
import { expect, test } from './harness/test.ts';
import { ChatPage } from './pages/chatPage.ts';
import { FirstRunPage } from './pages/firstRunPage.ts';
import { typeCommand } from './pages/palette.ts';

test.describe.configure({ mode: 'serial' });
test.use({ story: 'keyboard' });

const answerTimeoutMs = 120_000;

/** Presses Tab, or Shift+Tab, until the focus is on what has this name, in this part of the window. */
async function tabTo(page: Page, name: string, key: 'Tab' | 'Shift+Tab' = 'Tab', part = 'body'): Promise<void> {
  for (let presses = 0; presses < 60; presses += 1) {
    await page.keyboard.press(key);
    const focused = await page.evaluate((within) => {
      const element = document.activeElement?.closest(within) ? document.activeElement : null;
      return element?.getAttribute('aria-label') ?? element?.textContent ?? '';
    }, part);
    if (focused.startsWith(name)) return;
  }
  throw new Error(`The keyboard does not reach “${name}”.`);
}

async function command(page: Page, words: string): Promise<void> {
  await typeCommand(page, words);
  await page.keyboard.press('Enter');
}

test('a document is attached, a question asked, an answer heard', async ({ app }) => {
  test.setTimeout(answerTimeoutMs * 2);
  const { page } = app;
  await new FirstRunPage(page).completeIfShown();
  await expect(new ChatPage(page).composer).toBeFocused();
  await app.choosingFile(join(import.meta.dirname, 'data', 'middlemarch-excerpt.txt'), () => command(page, 'attach'));
  const chat = new ChatPage(page);
  await expect(chat.documents).toContainText(/\d tokens/, { timeout: 60_000 });
  // A short answer is enough here.
  await tabTo(page, 'Settings of this chat', 'Shift+Tab');
  await page.keyboard.press('Enter');
  await tabTo(page, 'Longest answer');
  await page.keyboard.press('ControlOrMeta+a');
  await page.keyboard.type('12');
  await page.keyboard.press('Enter');
  await page.keyboard.press('Escape');
  await command(page, 'write a question');
  await expect(chat.composer).toBeFocused();
  await page.keyboard.type('Who is Dorothea?');
  await page.keyboard.press('Enter');
  await expect(chat.lastAnswer('complete')).toBeVisible({ timeout: answerTimeoutMs });
  const announcer = page.getByTestId('announcer');
  await expect(announcer).toHaveAttribute('aria-live', 'polite');
  await expect(announcer).toContainText('The answer is complete.');
});

test('it is answered again, the alternatives are walked through, the question edited', async ({ app }) => {
  test.setTimeout(answerTimeoutMs * 2);
  const { page } = app;
  const chat = new ChatPage(page);
  await tabTo(page, 'Answer again', 'Shift+Tab');
  await page.keyboard.press('Enter');
  await expect(chat.alternative(chat.answers.last())).toHaveText('2/2', { timeout: 30_000 });
  await expect(chat.lastAnswer('complete')).toBeVisible({ timeout: answerTimeoutMs });
  await page.getByRole('log').focus();
  await tabTo(page, 'Previous alternative');
  await page.keyboard.press('Enter');
  await expect(chat.alternative(chat.answers.last())).toHaveText('1/2');
  await page.getByRole('log').focus();
  await tabTo(page, 'Edit and resend');
  await page.keyboard.press('Enter');
  await page.keyboard.press('ControlOrMeta+a');
  await page.keyboard.type('Who is Celia?');
  await page.keyboard.press('Enter');
  await expect(chat.alternative(chat.questions.last())).toHaveText('2/2');
  await page.keyboard.press('Escape');
  await expect(chat.lastAnswer('stopped').or(chat.lastAnswer('complete'))).toBeVisible({ timeout: answerTimeoutMs });
});

test('the chat is renamed, deleted, and brought back', async ({ app }) => {
  const { page } = app;
  const chat = new ChatPage(page);
  await tabTo(page, 'Who is Dorothea?', 'Shift+Tab', 'nav');
  await page.keyboard.press('F2');
  await page.keyboard.type('By keyboard');
  await page.keyboard.press('Enter');
  await expect(chat.conversations.getByText('By keyboard')).toBeVisible();
  await command(page, 'write a question');
  await tabTo(page, 'By keyboard', 'Shift+Tab', 'nav');
  await page.keyboard.press('Delete');
  await expect(chat.conversations.getByText('By keyboard')).toBeHidden();
  // The notices are a region of their own, which Alt+T reaches.
  await page.keyboard.press('Alt+t');
  await tabTo(page, 'Undo');
  await page.keyboard.press('Enter');
  await expect(chat.conversations.getByText('By keyboard')).toBeVisible();
});

test('keys that are pressed before anything is drawn are not lost', async ({ app }) => {
  const { page } = app;
  const session = await page.context().newCDPSession(page);
  // On a slow machine the window draws long after it has loaded.
  await session.send('Emulation.setCPUThrottlingRate', { rate: 20 });
  await page.reload();
  await page.keyboard.press('ControlOrMeta+,');
  await session.detach();
  await expect(page.getByTestId('data-folder')).toBeVisible();
});
