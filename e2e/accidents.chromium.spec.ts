/**
 * What may befall a machine, and what a person sees then: what happened, why, and what to do. Nothing is lost by it. A
 * GPU that is lost has deviceLoss.chromium.spec.ts, a database damaged under a window accidents.electron.spec.ts.
 */
import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, renameSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, type Page, test } from '@playwright/test';
import { tinyModel } from '../engine/testing/tinyModel.ts';
import { damage, mountSmallDisk, needsMounts, onMachineOf, type SmallDisk } from './harness/accidents.ts';
import { expectAccessible } from './harness/accessible.ts';
import { takePictures, takesPictures } from './harness/pictures.ts';
import { type AppOptions, hostEntry, required, type RunningApp } from './harness/runningApp.ts';
import { startServedApp } from './harness/servedApp.ts';
import { ChatPage } from './pages/chatPage.ts';
import { FirstRunPage } from './pages/firstRunPage.ts';

const modelFile = 'SmolLM2-135M-Instruct.Q4_1.gguf';
/** Software adapters compile the kernels first. */
const answerTimeoutMs = 110_000;
const documents = 100;

test.describe.configure({ mode: 'serial' });

let folder: string;
test.beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'longleaf-e2e-'));
});
test.afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** A command of Longleaf, and what a terminal shows of it. */
function command(dataFolder: string, ...args: string[]): { status: number | null; said: string } {
  const { status, stderr } = spawnSync(required('LONGLEAF_RUNTIME_NODE'), [hostEntry, ...args, '--data', dataFolder], { encoding: 'utf8', timeout: 30_000 });
  return { status, said: stderr.trim() };
}

const serveIn = (dataFolder: string) => command(dataFolder, 'serve', '--no-open', '--port', '0');

async function withApp(options: Omit<AppOptions, 'environment'> & { environment?: Record<string, string> }, use: (app: RunningApp) => Promise<void>): Promise<void> {
  const app = await startServedApp({ environment: {}, ...options });
  try {
    await use(app);
  } finally {
    await app.close();
  }
}

async function openChat(page: Page): Promise<ChatPage> {
  const chat = new ChatPage(page);
  await page.getByRole('button', { name: /^New chat/ }).first().click();
  await expect(chat.composer).toBeFocused();
  return chat;
}

/** Something to be lost: a chat with a document, on a folder that has no model. */
async function keepNote(app: RunningApp): Promise<void> {
  const path = join(folder, 'note.txt');
  writeFileSync(path, 'The keeper counted every ship.');
  await new FirstRunPage(app.page).skip();
  const chat = new ChatPage(app.page);
  await app.choosingFile(path, () => chat.attach.click());
  await expect(chat.documents).toContainText('note.txt');
}

async function expectNote(app: RunningApp): Promise<void> {
  const chat = new ChatPage(app.page);
  await chat.conversations.getByRole('button', { name: 'New chat', exact: true }).click();
  await expect(chat.documents).toContainText('note.txt');
  await app.page.getByRole('button', { name: 'Preview the text of note.txt' }).click();
  await expect(chat.preview).toContainText('The keeper counted every ship.');
}

const toast = (page: Page) => page.locator('[data-sonner-toast]');

test.describe('in an open window', () => {
  let app: RunningApp;
  let disk: SmallDisk | null = null;
  let drive: string;

  test.beforeAll(async () => {
    drive = join(folder, 'drive');
    try {
      disk = mountSmallDisk(48);
    } catch {
      // The test that cannot do without it says so.
    }
    const dataFolder = join(disk?.path ?? folder, 'data');
    mkdirSync(drive);
    copyFileSync(join(required('LONGLEAF_TEST_MODELS'), modelFile), join(drive, modelFile));
    expect(command(dataFolder, 'models', 'folders', 'add', drive).said).toContain('1 model is used from there');
    app = await startServedApp({ dataFolder, environment: {} });
  });
  test.afterAll(async () => {
    await app.close();
    disk?.remove();
  });

  test('a disk that is full: neither a question nor a document is taken, both are there to be sent again', async () => {
    needsMounts();
    const { page } = app;
    const chat = await openChat(page);
    await chat.composer.fill('What is two and two?');
    disk?.fill();
    await chat.composer.press('Enter');
    const told = toast(page).filter({ hasText: 'The disk is full: Longleaf could not save what it was doing.' });
    await expect(told.first()).toContainText('Free some space and try again.');
    await expect(chat.composer).toHaveValue('What is two and two?');
    const note = join(folder, 'note.txt');
    writeFileSync(note, 'The keeper counted every ship.');
    await app.choosingFile(note, () => chat.attach.click());
    const refused = page.getByTestId('refused-document');
    await expect(refused).toContainText('“note.txt” is 30 bytes, but only 0 bytes are free in Longleaf\'s data folder.');
    await expect(refused).toContainText('Free some space and add it again.');
    await takePictures(app, 'accident-disk-full');
    await expectAccessible(app);
    disk?.clear();
    await refused.getByRole('button').click();
    await app.choosingFile(note, () => chat.attach.click());
    await expect(chat.documents).toContainText('note.txt');
    await expect(chat.contextBar).not.toContainText('The disk is full');
  });

  test('a drive that is removed: its model says what to do, and answers when it is back', async () => {
    test.setTimeout(answerTimeoutMs + 60_000);
    const { page } = app;
    const chat = await openChat(page);
    renameSync(drive, `${drive}.away`);
    await chat.composer.fill('What is two and two?');
    await chat.composer.press('Enter');
    const told = toast(page).filter({ hasText: `(${modelFile}) is not in ${drive} now.` });
    await expect(told).toContainText('Connect the drive that holds it, or put the file back, and try again; another model can answer meanwhile.');
    await expect(chat.composer).toHaveValue('What is two and two?');
    await takePictures(app, 'accident-drive-removed');
    await page.getByRole('button', { name: /^Models/ }).click();
    await expect(page.getByTestId('model')).toContainText('The file is not where it was.');
    await expect(page.getByText('Not there now: is the drive connected?')).toBeVisible();
    if (takesPictures) await expect(toast(page)).toHaveCount(0, { timeout: 15_000 });
    await takePictures(app, 'accident-drive-removed-models');
    await expectAccessible(app);
    renameSync(`${drive}.away`, drive);
    await expect(page.getByTestId('model')).not.toContainText('The file is not where it was.');
    await page.keyboard.press('/');
    await chat.composer.press('Enter');
    await expect(chat.lastText).toContainText(/\w/, { timeout: answerTimeoutMs });
  });

  test('a huge paste is offered a place as a document; one that is larger than that is refused with both lengths', async () => {
    const { page } = app;
    const chat = await openChat(page);
    const paste = async (pieces: number) => {
      await page.evaluate((count) => navigator.clipboard.writeText('The lighthouse keeper counted every ship. '.repeat(count)), pieces);
      await chat.composer.focus();
      await page.keyboard.press('ControlOrMeta+v');
    };
    await paste(1_250_000);
    const refused = page.getByRole('alert').filter({ hasText: 'You pasted 52,500,000 characters; Longleaf takes up to 50,000,000 of a paste.' });
    await expect(refused).toContainText('Save the text as a file and attach that.', { timeout: 60_000 });
    await takePictures(app, 'accident-paste-too-long');
    await expectAccessible(app);
    await refused.getByRole('button', { name: 'Close' }).click();
    await paste(10_000);
    await expect(page.getByText('You pasted 420,000 characters. A document can be previewed, counted and read once.')).toBeVisible({ timeout: 30_000 });
    await takePictures(app, 'accident-huge-paste');
    await page.getByRole('button', { name: 'Attach as a document' }).click();
    await expect(chat.documents).toContainText('The lighthouse keeper', { timeout: 30_000 });
  });

  test(`${documents} documents at once are all taken in, in their order, with how many are still to come`, async () => {
    test.setTimeout(240_000);
    const { page } = app;
    const chat = await openChat(page);
    const papers = join(folder, 'papers');
    mkdirSync(papers);
    const paths = Array.from({ length: documents }, (_, index) => join(papers, `note ${index}.txt`));
    for (const [index, path] of paths.entries()) writeFileSync(path, `Note ${index}: the keeper saw ${index} ships.`);
    const chooser = page.waitForEvent('filechooser');
    await chat.attach.click();
    await (await chooser).setFiles(paths);
    await expect(page.getByTestId('documents-arriving')).toContainText(/^[1-9]\d? of 100 documents added$/, { timeout: 30_000 });
    await takePictures(app, 'accident-many-documents');
    await expectAccessible(app);
    await expect(chat.documents).toHaveCount(documents, { timeout: 200_000 });
    await expect(page.getByTestId('documents-arriving')).toBeHidden();
    expect((await chat.documents.allInnerTexts()).map((text) => /note \d+\.txt/.exec(text)?.[0])).toEqual(paths.map((_, index) => `note ${index}.txt`));
    expect(app.policyViolations).toEqual([]);
  });

  test('a second Longleaf on the same folder says which process has it, and leaves the first alone', async () => {
    const { said, status } = serveIn(join(disk?.path ?? folder, 'data'));
    expect(status).toBe(1);
    expect(said).toContain(`Another Longleaf (process ${app.hostProcessId()}, running since `);
    expect(said).toMatch(/Use the Longleaf that is already open, or close it first; --data FOLDER starts one with its own folder\.$/);
    await expect(new ChatPage(app.page).documents).toHaveCount(documents);
    await expect(app.page.getByTestId('banner')).toBeHidden();
  });
});

test('without a graphics driver it says what to install, on the first screen and later, and everything but answering works', async () => {
  const noDriver = join(folder, 'no-driver.json');
  await withApp({ dataFolder: join(folder, 'no-driver'), environment: { VK_DRIVER_FILES: noDriver, VK_ICD_FILENAMES: noDriver } }, async (app) => {
    const { page } = app;
    const what = 'No WebGPU adapter was found: neither a graphics driver with Vulkan, Metal or Direct3D 12 nor a software adapter answered.';
    const whatToDo = 'Install or update the graphics driver; on Linux without a GPU install mesa-vulkan-drivers 24 or newer.';
    const firstRun = new FirstRunPage(page);
    await expect(firstRun.machine.getByRole('alert')).toContainText(what, { timeout: 30_000 });
    await expect(firstRun.machine.getByRole('alert')).toContainText(whatToDo);
    await takePictures(app, 'accident-no-adapter');
    await expectAccessible(app);
    await firstRun.skip();
    await expect(page.getByTestId('banner')).toContainText(what);
    await expect(page.getByTestId('banner')).toContainText(whatToDo);
    const note = join(folder, 'note.txt');
    writeFileSync(note, 'The keeper counted every ship.');
    const chat = new ChatPage(page);
    await app.choosingFile(note, () => chat.attach.click());
    await page.getByRole('button', { name: 'Preview the text of note.txt' }).click();
    await expect(chat.preview).toContainText('The keeper counted every ship.');
    await takePictures(app, 'accident-no-adapter-later');
    await expectAccessible(app);
  });
});

test('a machine of 4 GB refuses a model of 5 GB with both numbers, and says which fit', async () => {
  needsMounts();
  const machine = onMachineOf(4);
  const dataFolder = join(folder, 'small-machine');
  const large = join(folder, 'large');
  mkdirSync(large);
  writeFileSync(join(large, 'large.gguf'), tinyModel({ architecture: 'llama', layers: 2 }));
  truncateSync(join(large, 'large.gguf'), 5e9);
  expect(command(dataFolder, 'models', 'folders', 'add', large).said).toContain('1 model is used from there');
  await withApp({ dataFolder, command: machine.command }, async (app) => {
    const chat = await openChat(app.page);
    await chat.ask('What is two and two?');
    const failed = chat.lastAnswer('failed');
    await expect(failed).toContainText('The model takes 5.0 GB of memory, and this machine has 4.0 GB.', { timeout: 30_000 });
    await expect(failed).toContainText('Choose a smaller model, or the same one in fewer bits for each weight; the page “Models” says which of them fit this machine.');
    await takePictures(app, 'accident-small-machine');
    await expectAccessible(app);
    await app.page.getByRole('button', { name: /^Models/ }).click();
    await expect(app.page.getByTestId('catalogue-entry').first()).toContainText('Fits this machine');
  });
  machine.remove();
});

test('a data folder on a disk that is full, or that turned read-only, is refused by name; its chats are there afterwards', async () => {
  needsMounts();
  const disk = mountSmallDisk(16);
  const dataFolder = join(disk.path, 'data');
  await withApp({ dataFolder }, keepNote);
  disk.fill();
  expect(serveIn(dataFolder)).toEqual({ status: 1, said: 'longleaf: The disk is full: Longleaf could not save what it was doing. Free some space and try again.' });
  disk.clear();
  disk.makeReadOnly();
  expect(serveIn(dataFolder)).toEqual({
    status: 1,
    said: `longleaf: Longleaf cannot write to its data folder ${dataFolder} (EROFS). Give yourself write access to it, or choose another folder with --data or LONGLEAF_DATA.`,
  });
  disk.makeWritable();
  await withApp({ dataFolder }, expectNote);
  disk.remove();
});

test('a damaged database is refused with the way out; its backup takes its place, and it is kept', async () => {
  const dataFolder = join(folder, 'damaged');
  const database = join(dataFolder, 'longleaf.sqlite');
  await withApp({ dataFolder }, keepNote);
  const backup = join(dataFolder, 'backups', 'longleaf-2026-01-01T00-00-00-schema-1.sqlite');
  copyFileSync(database, backup);
  damage(database);
  const refused = serveIn(dataFolder);
  expect(refused.status).toBe(1);
  expect(refused.said).toContain(`The database ${database} is damaged (`);
  expect(refused.said).toContain(`“longleaf restore” puts the backup ${backup} in its place and keeps the damaged one beside it.`);
  expect(command(dataFolder, 'restore').status).toBe(0);
  await withApp({ dataFolder }, expectNote);
});
