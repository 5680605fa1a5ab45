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

/** Some 2,400 tokens, of which a tenth of a gigabyte holds fewer with 32 bits each. */
const characters = 9500;
const waitMs = 200_000;

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
  await chat.ask(`${book.slice(0, characters)}\n\nWho fell down the hole?`);
  await expect(chat.lastAnswer('complete')).toBeVisible({ timeout: waitMs });
  const choice = page.getByTestId('past-window');
  await expect(choice).toContainText('This conversation no longer fits the GPU');
  await choice.scrollIntoViewIfNeeded();
  await takePictures(app, 'past-window');
  await expectAccessible(app);
});

test('stopping and going on are both shown as events, and the conversation goes on beyond the GPU', async ({ app }) => {
  test.setTimeout(waitMs + 60_000);
  const { page } = app;
  const chat = new ChatPage(page);
  const events = page.getByTestId('event');
  await page.getByRole('button', { name: 'Stop here' }).click();
  await expect(events.first()).toContainText('You stopped here, at');
  await page.getByRole('button', { name: 'Go on beyond the GPU' }).click();
  await expect(events.last()).toContainText('You chose to go on.');
  await expect(page.getByTestId('past-window')).toBeHidden();
  await takePictures(app, 'past-window-chosen');
  await chat.ask('And what did she see?');
  await expect(chat.lastAnswer('complete')).toBeVisible({ timeout: waitMs });
  await page.reload();
  await expect(events).toHaveCount(2);
});
