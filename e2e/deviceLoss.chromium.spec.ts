/**
 * The GPU device is lost in mid-answer, in earnest: the worker destroys it, as it does when it is told to by the one
 * signal that tests may send. What follows, from the driver's report to the conversation, is what a real loss does.
 */
import { takePictures } from './harness/pictures.ts';
import { gpuWorkerOf } from './harness/processes.ts';
import { expect, test } from './harness/test.ts';
import { ChatPage } from './pages/chatPage.ts';
import { FirstRunPage } from './pages/firstRunPage.ts';

const answerTimeoutMs = 300_000;

test.use({ story: 'device loss' });

test('a lost device is named in the conversation, and trying again answers on a new one in the same process', async ({ app }) => {
  test.setTimeout(answerTimeoutMs * 2);
  await new FirstRunPage(app.page).completeIfShown();
  const chat = new ChatPage(app.page);
  await chat.ask('Write a long story about a lighthouse, with every detail.');
  await expect(chat.lastText).toContainText(/\w+ \w+/, { timeout: answerTimeoutMs });
  const worker = gpuWorkerOf(app.hostProcessId());
  process.kill(worker, 'SIGUSR2');

  const failed = chat.lastAnswer('failed');
  await expect(failed).toBeVisible({ timeout: 30_000 });
  await expect(failed).toContainText('The GPU stopped responding: device was destroyed.');
  await expect(failed).toContainText('Try again: the engine rebuilds itself.');
  await expect(chat.lastText).toContainText(/\w+ \w+/);
  await takePictures(app, 'device-lost');

  await failed.getByRole('button', { name: 'Try again' }).click();
  await expect(chat.lastAnswer('streaming')).toBeVisible({ timeout: 30_000 });
  await expect(chat.lastText).toContainText(/\w+ \w+/, { timeout: answerTimeoutMs });
  expect(gpuWorkerOf(app.hostProcessId())).toBe(worker);
  await chat.stop.click();
  await expect(chat.lastAnswer('stopped')).toBeVisible({ timeout: 5_000 });
});
