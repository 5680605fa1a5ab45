/** A conversation passes what the GPU holds: the person chooses, and the choice stays in the conversation. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expectAccessible } from './harness/accessible.ts';
import { takePictures } from './harness/pictures.ts';
import { repositoryFolder } from './harness/runningApp.ts';
import { expect, test } from './harness/test.ts';
import { ChatPage } from './pages/chatPage.ts';
import { FirstRunPage } from './pages/firstRunPage.ts';

test.describe.configure({ mode: 'serial' });
test.use({ story: 'pastWindow' });

/** Some 500 tokens, of which a tenth of a gigabyte holds fewer. */
const characters = 2000;
const waitMs = 300_000;

test('a conversation that no longer fits the GPU asks what to do, before the next question is sent', async ({ app }) => {
  test.setTimeout(waitMs + 60_000);
  const { page } = app;
  const chat = new ChatPage(page);
  await new FirstRunPage(page).completeIfShown();
  await page.keyboard.press('ControlOrMeta+,');
  const budget = page.getByRole('spinbutton', { name: 'On the GPU' });
  await budget.fill('0.1');
  await budget.press('Enter');
  await budget.blur();
  await page.keyboard.press('/');
  await chat.setLongestAnswer(12);
  const book = readFileSync(join(repositoryFolder, 'assets', 'sample', 'alice-in-wonderland-chapter-1.txt'), 'utf8');
  // It can be stopped before it has a word, and goes on from what it has read.
  const stopped = chat.stopOnceIn('reading');
  await chat.ask(`${book.slice(0, characters)}\n\nWho fell down the hole?`);
  await stopped;
  await expect(chat.lastAnswer('stopped')).toContainText('Stopped.', { timeout: 30_000 });
  await expect(chat.lastText).toBeHidden();
  await chat.lastAnswer('stopped').getByRole('button', { name: 'Try again' }).click();
  await expect(chat.lastAnswer('complete')).toBeVisible({ timeout: waitMs });
  const choice = page.getByTestId('past-window');
  await expect(choice).toContainText('This conversation no longer fits the GPU');
  await choice.scrollIntoViewIfNeeded();
  await takePictures(app, 'past-window');
  await expectAccessible(app);
});

test('it goes on in a new chat from a summary, and both say so', async ({ app }) => {
  test.setTimeout(waitMs + 60_000);
  const { page } = app;
  const events = page.getByTestId('event');
  await page.getByRole('button', { name: 'New chat from a summary' }).click();
  await expect(page.getByText('Summarising the conversation')).toBeVisible();
  await expect(events).toContainText(/Begun from a summary of “.*” \(one question with its answer\)\./, { timeout: waitMs });
  await events.getByText('The summary').click();
  const summary = await events.locator('details p').innerText();
  expect(summary).toMatch(/\w+ \w+/);
  await takePictures(app, 'past-window-summary');
  await expectAccessible(app);
  // The next question stands on it.
  await page.getByRole('button', { name: 'Settings of this chat' }).click();
  await expect(page.getByRole('textbox', { name: 'System prompt' })).toHaveValue(/Summary of the conversation so far:\n.+/);
  await page.keyboard.press('Escape');
  await events.getByRole('button', { name: 'Open it' }).click();
  await expect(events).toContainText('Goes on from a summary in “');
  // It stays, though nobody has written in it yet.
  await expect(page.getByRole('list', { name: 'Conversations' }).getByText(/ \(2\)$/)).toBeVisible();
});

test('stopping and going on are both shown as events, and the conversation goes on beyond the GPU', async ({ app }) => {
  test.setTimeout(waitMs + 60_000);
  const { page } = app;
  const chat = new ChatPage(page);
  const events = page.getByTestId('event');
  await page.getByRole('button', { name: 'Stop here' }).click();
  await expect(events.last()).toContainText('You stopped here, at');
  await page.getByRole('button', { name: 'Go on beyond the GPU' }).click();
  await expect(events.last()).toContainText('You chose to go on.');
  await expect(page.getByTestId('past-window')).toBeHidden();
  await takePictures(app, 'past-window-chosen');
  await chat.ask('And what did she see?');
  await expect(chat.lastAnswer('complete')).toBeVisible({ timeout: waitMs });
  await page.reload();
  await expect(events).toHaveCount(3);
});
