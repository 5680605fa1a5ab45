/**
 * The main job, as a person does it, with a real model on the real engine: first run, model, document,
 * question, answer, and what goes wrong on the way.
 */
import { join } from 'node:path';
import { takePictures, takesPictures } from './harness/pictures.ts';
import { gpuWorkerOf, isRunning } from './harness/processes.ts';
import { expect, test } from './harness/test.ts';
import { ChatPage } from './pages/chatPage.ts';
import { FirstRunPage } from './pages/firstRunPage.ts';

const document = { name: 'middlemarch-excerpt.txt', path: join(import.meta.dirname, 'data', 'middlemarch-excerpt.txt') };
const hiddenFact = '48213';
const question = 'What is the secret code of the library at Tipton Grange?';
/** Has nothing to do with the document, which small models like to answer with one sentence. */
const longTask = 'Write a long story about a lighthouse keeper, with every detail of his day.';

/** Software adapters read about a hundred tokens a second on two cores, and less while they compile. */
const answerTimeoutMs = 300_000;

test.describe.configure({ mode: 'serial' });
test.use({ story: 'main job', hubBytesPerSecond: 8e6 });

test('the first run says what this machine can do and fetches the starter model', async ({ app }) => {
  const firstRun = new FirstRunPage(app.page);
  await expect(firstRun.screen).toBeVisible({ timeout: 30_000 });
  await expect(firstRun.machine).toContainText(/llvmpipe|SwiftShader|graphics processor/, { timeout: 30_000 });
  await expect(firstRun.starter).toContainText('Apache-2.0');
  await expect(firstRun.starter).toContainText('98');
  await takePictures(app, 'first-run');

  await firstRun.downloadStarter();
  await expect(firstRun.download).toHaveAttribute('data-state', 'downloading');
  await takePictures(app, 'first-run-downloading');
  await expect(firstRun.startReading).toBeVisible({ timeout: 120_000 });
  await takePictures(app, 'first-run-ready');
  await firstRun.startReading.click();
  await expect(new ChatPage(app.page).composer).toBeVisible();
  await takePictures(app, 'chat-empty');
});

test('an attached text shows what was extracted and how many tokens it is', async ({ app }) => {
  const chat = new ChatPage(app.page);
  await app.choosingFile(document.path, () => chat.attach.click());
  await expect(chat.documents).toContainText(document.name);
  // Counting loads the model, and it says so.
  await expect(chat.loadedModel).toHaveText('SmolLM2 135M Instruct loaded', { timeout: 60_000 });
  await expect(chat.documents).toContainText(/\d{3} tokens/, { timeout: 60_000 });
  await takePictures(app, 'document-attached');

  await app.page.getByRole('button', { name: `Preview the text of ${document.name}` }).click();
  await expect(chat.preview).toContainText('Miss Brooke had that kind of beauty');
  await expect(chat.preview).toContainText(hiddenFact);
  await takePictures(app, 'document-preview');
  await chat.preview.getByRole('button', { name: 'Close the preview' }).click();

  await chat.composer.fill(question);
  await chat.contextBar.click();
  await expect(app.page.getByRole('row', { name: new RegExp(document.name) })).toBeVisible();
  await takePictures(app, 'context-table');
  await app.page.keyboard.press('Escape');
});

test('a question is answered from the document', async ({ app }) => {
  test.setTimeout(answerTimeoutMs * 2);
  const chat = new ChatPage(app.page);
  await chat.ask(question);
  if (takesPictures) {
    await expect(chat.phase).toContainText(/tokens\/s.*left/, { timeout: 60_000 });
    await takePictures(app, 'reading');
  }
  await expect(chat.lastAnswer('complete')).toBeVisible({ timeout: answerTimeoutMs });
  await expect(chat.lastText).toContainText(hiddenFact);
  await expect(app.page.getByTestId('statistics').last()).toContainText('tokens at');
  await expect(chat.answers.last().getByTestId('answer-model')).toHaveText('SmolLM2 135M Instruct');
  await takePictures(app, 'answer');
});

test('a long answer is shown as it is written, and can be stopped', async ({ app }) => {
  test.setTimeout(answerTimeoutMs);
  const chat = new ChatPage(app.page);
  await chat.ask(longTask);
  await expect(chat.lastText).toContainText(/\w+ \w+/, { timeout: answerTimeoutMs });
  await expect(chat.lastAnswer('streaming')).toBeVisible();
  await takePictures(app, 'answering');
  await chat.stop.click();
  await expect(chat.lastAnswer('stopped')).toBeVisible({ timeout: 5_000 });
  await expect(chat.lastText).toContainText(/\w+ \w+/);
  await expect(chat.composer).toBeEnabled();
  await takePictures(app, 'stopped');
});

test('an edited question is asked beside the old one', async ({ app }) => {
  test.setTimeout(answerTimeoutMs);
  const chat = new ChatPage(app.page);
  await chat.edit(chat.questions.last(), 'Where is the library?', () => takePictures(app, 'editing'));
  await expect(chat.lastAnswer('complete')).toBeVisible({ timeout: answerTimeoutMs });
  await expect(chat.alternative(chat.questions.last())).toHaveText('2/2');
  await chat.questions.last().getByRole('button', { name: 'Previous alternative' }).click();
  await expect(chat.questions.last()).toContainText(longTask);
  await chat.questions.last().getByRole('button', { name: 'Next alternative' }).click();
  await expect(chat.questions.last()).toContainText('Where is the library?');
});

test('another answer stands beside the first', async ({ app }) => {
  test.setTimeout(answerTimeoutMs);
  const chat = new ChatPage(app.page);
  await chat.answers.last().getByRole('button', { name: 'Answer again' }).click();
  await expect(chat.alternative(chat.answers.last())).toHaveText('2/2', { timeout: 30_000 });
  await expect(chat.lastAnswer('complete')).toBeVisible({ timeout: answerTimeoutMs });
  await takePictures(app, 'alternatives');
});

test('after a reload the conversation is there', async ({ app }) => {
  await app.page.reload();
  await expectConversation(new ChatPage(app.page));
});

test('the GPU worker is killed in mid-answer: it says so, nothing is lost, trying again works', async ({ app }) => {
  test.setTimeout(answerTimeoutMs * 2);
  const chat = new ChatPage(app.page);
  await chat.ask(longTask);
  await expect(chat.lastText).toContainText(/\w+ \w+/, { timeout: answerTimeoutMs });
  const killed = gpuWorkerOf(app.hostProcessId());
  process.kill(killed, 'SIGKILL');

  const broken = chat.lastAnswer('failed').or(chat.lastAnswer('interrupted'));
  await expect(broken).toBeVisible({ timeout: 10_000 });
  await expect(broken).toContainText(/GPU/);
  await expect(chat.lastText).toContainText(/\w+ \w+/);
  await takePictures(app, 'worker-killed');
  expect(isRunning(killed)).toBe(false);

  await broken.getByRole('button', { name: 'Try again' }).click();
  await expect(chat.lastAnswer('streaming')).toBeVisible({ timeout: 30_000 });
  await expect(chat.lastText).toContainText(/\w+ \w+/, { timeout: answerTimeoutMs });
  await chat.stop.click();
  await expect(chat.lastAnswer('stopped')).toBeVisible({ timeout: 5_000 });
  await expect(chat.questions.first()).toContainText(question);
});

test('after a restart the conversation is there, and nothing was left running', async ({ app }) => {
  const host = app.hostProcessId();
  const worker = gpuWorkerOf(host);
  await app.restart();
  expect(isRunning(host)).toBe(false);
  expect(isRunning(worker)).toBe(false);
  await expectConversation(new ChatPage(app.page));
});

test('nothing on the way was refused by the content security policy', ({ app }) => {
  expect(app.policyViolations).toEqual([]);
});

async function expectConversation(chat: ChatPage): Promise<void> {
  await chat.conversations.getByRole('button').first().click({ timeout: 30_000 });
  await expect(chat.questions.first()).toContainText(question);
  await expect(chat.answers.first()).toContainText(hiddenFact);
  await expect(chat.documents).toContainText(document.name);
}
