/** Longleaf on the desktop: menu, links and files from outside, jobs, sleep; and a page that has been taken over. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { tinyModel } from '../engine/testing/tinyModel.ts';
import type { RunningElectron } from './harness/electronApp.ts';
import { isRunning } from './harness/processes.ts';
import { required, type RunningApp } from './harness/runningApp.ts';
import { expect, test } from './harness/test.ts';
import { ChatPage } from './pages/chatPage.ts';
import { FirstRunPage } from './pages/firstRunPage.ts';

test.describe.configure({ mode: 'serial' });
test.use({ story: 'desktop', hubBytesPerSecond: 8e6 });

const electronOf = (app: RunningApp) => (app as RunningElectron).application;

function writeFile(name: string, content: string | Uint8Array): string {
  const path = join(mkdtempSync(join(tmpdir(), 'longleaf-e2e-')), name);
  writeFileSync(path, content);
  return path;
}

/** As the desktop does it when Longleaf is running: a second instance hands over its command line. */
async function openFromOutside(app: RunningApp, ...args: string[]): Promise<void> {
  await electronOf(app).evaluate(({ app: electron }, commandLine) => void electron.emit('second-instance', {}, ['longleaf', ...commandLine], '/'), args);
}

async function menuItems(app: RunningApp): Promise<{ menu: string; id: string; accelerator: string | null; enabled: boolean }[]> {
  return electronOf(app).evaluate(({ Menu }) =>
    (Menu.getApplicationMenu()?.items ?? []).flatMap(({ label: menu, submenu }) =>
      (submenu?.items ?? [])
        .filter(({ id }) => /^[a-z]+\.[a-zA-Z]+$/.test(id))
        .map(({ id, accelerator, enabled }) => ({ menu, id, accelerator: accelerator ? String(accelerator) : null, enabled })),
    ),
  );
}

test('while a model is downloaded the desktop shows it and the machine stays awake; afterwards neither', async ({ app }) => {
  const firstRun = new FirstRunPage(app.page);
  await expect(firstRun.screen).toBeVisible({ timeout: 30_000 });
  const state = () =>
    electronOf(app).evaluate(({ powerSaveBlocker, BrowserWindow }) => ({
      awake: [0, 1, 2].some((id) => powerSaveBlocker.isStarted(id)),
      windows: BrowserWindow.getAllWindows().length,
    }));
  expect(await state()).toEqual({ awake: false, windows: 1 });
  await firstRun.downloadStarter();
  await expect.poll(state).toEqual({ awake: true, windows: 1 });
  await expect(firstRun.startReading).toBeVisible({ timeout: 120_000 });
  await expect.poll(state).toEqual({ awake: false, windows: 1 });
  await firstRun.startReading.click();
  await expect(new ChatPage(app.page).composer).toBeVisible();
});

test('the menu has every command of the window, with its keys, and does it', async ({ app }) => {
  const items = await menuItems(app);
  expect(items.map(({ id }) => id)).toEqual(expect.arrayContaining(['chat.new', 'documents.attach', 'settings.open', 'palette.open', 'chat.stop', 'worker.restart']));
  expect(items.find(({ id }) => id === 'chat.new')).toEqual({ menu: '&File', id: 'chat.new', accelerator: 'CmdOrCtrl+N', enabled: true });
  expect(items.find(({ id }) => id === 'chat.stop')).toMatchObject({ menu: '&Chat', enabled: false });
  await electronOf(app).evaluate(({ Menu }) => Menu.getApplicationMenu()?.getMenuItemById('settings.open')?.click());
  await expect(app.page.getByRole('heading', { name: 'Settings', exact: true })).toBeVisible();
});

test('the menu is in the language of the window', async ({ app }) => {
  const menus = () => electronOf(app).evaluate(({ Menu }) => (Menu.getApplicationMenu()?.items ?? []).map(({ label, submenu }) => [label, submenu?.items.at(-1)?.label]));
  const english = await menus();
  expect(english.map(([menu]) => menu)).toEqual(['&File', '&Edit', '&Chat', '&View', '&Window', '&Help']);
  await app.page.getByRole('combobox', { name: 'Language', exact: true }).selectOption('de');
  await expect.poll(menus).toEqual(expect.arrayContaining([['&Datei', 'Longleaf beenden'], ['&Bearbeiten', 'Alles auswählen'], ['&Fenster', 'Fenster schließen']]));
  expect((await menuItems(app)).find(({ id }) => id === 'chat.new')).toMatchObject({ menu: '&Datei', accelerator: 'CmdOrCtrl+N' });
  await app.page.getByRole('combobox', { name: 'Sprache', exact: true }).selectOption('en');
  await expect.poll(menus).toEqual(english);
});

test('links show a place of the window, and nothing else', async ({ app }) => {
  await openFromOutside(app, 'longleaf://models');
  await expect(app.page.getByRole('heading', { name: 'Models', exact: true })).toBeVisible();
  await openFromOutside(app, 'longleaf://settings?offline=1', 'longleaf://download/smollm2', 'file:///etc/passwd', 'https://example.org/');
  await expect(app.page.getByRole('heading', { name: 'Models', exact: true })).toBeVisible();
  await openFromOutside(app, 'longleaf://chat');
  await expect(new ChatPage(app.page).composer).toBeVisible();
});

test('a second start hands its link over to the first, shows no window, and ends', async ({ app }) => {
  const folder = await electronOf(app).evaluate(({ app: electron }) => electron.getPath('userData'));
  const flags = process.getuid?.() === 0 ? ['--no-sandbox'] : [];
  const second = spawn(required('LONGLEAF_TEST_ELECTRON'), [...flags, `--user-data-dir=${folder}`, 'longleaf://models'], { stdio: 'ignore' });
  const [status] = (await once(second, 'exit')) as [number | null];
  expect(status).toBe(0);
  await expect(app.page.getByRole('heading', { name: 'Models', exact: true })).toBeVisible();
  expect(await electronOf(app).evaluate(({ BrowserWindow }) => BrowserWindow.getAllWindows().length)).toBe(1);
  await openFromOutside(app, 'longleaf://chat');
});

test('a document that the desktop hands over joins the chat; a broken model file is refused by name', async ({ app }) => {
  // A name is a text, whatever it looks like.
  const name = '<img src=x onerror=document.title=1>.txt';
  await openFromOutside(app, '--flag', tmpdir(), writeFile(name, 'Dear reader, <script>document.title = 2</script> this is a letter.'));
  await expect(new ChatPage(app.page).documents).toContainText(name);
  expect(await app.page.title()).toBe('Longleaf');
  await openFromOutside(app, writeFile('broken.gguf', 'GGUF, says its beginning'));
  await expect(app.page.getByRole('heading', { name: 'Models', exact: true })).toBeVisible();
  await expect(app.page.getByText(/broken\.gguf/).first()).toBeVisible();
});

test('models are added by the dialogs of the desktop: a file that is kept, a folder that is used where it is', async ({ app }) => {
  const { page } = app;
  const [file, other] = [writeFile('kept.gguf', tinyModel({ architecture: 'llama', layers: 1, seed: 41 })), writeFile('used.gguf', tinyModel({ architecture: 'llama', layers: 1, seed: 42 }))];
  await openFromOutside(app, 'longleaf://models');
  const dialog = page.getByRole('dialog', { name: 'Add models of this machine' });
  await page.getByRole('button', { name: 'Add models' }).click();
  // Nothing can be typed: a page names no paths here.
  await expect(dialog.getByRole('textbox')).toHaveCount(0);
  await app.choosingFile(file, () => dialog.getByRole('button', { name: 'Choose a file…' }).click());
  const added = page.getByTestId('model').filter({ hasText: 'Tiny llama' });
  await expect(added).toHaveCount(1);
  await expect(dialog).toBeHidden();
  await page.getByRole('button', { name: 'Add a folder' }).click();
  await app.choosingFile(dirname(other), () => dialog.getByRole('button', { name: 'Choose a folder…' }).click());
  await expect(added).toHaveCount(2);
  await expect(added.last()).toContainText(`in ${dirname(other)}`);
});

test('a token is sealed by the key store where Electron has one, else it lies in a file for its owner, and the page says which', async ({ app }) => {
  // Linux without a keyring offers a key that is the same everywhere, which hides nothing; Electron 22 does not say so.
  const hasKeyStore = await electronOf(app).evaluate(({ safeStorage }) => {
    const backend = (safeStorage as { getSelectedStorageBackend?: () => string }).getSelectedStorageBackend?.() ?? 'unknown';
    return safeStorage.isEncryptionAvailable() && (process.platform !== 'linux' || !['basic_text', 'unknown'].includes(backend));
  });
  const token = 'hf_a_token_of_this_test';
  const { page } = app;
  await openFromOutside(app, 'longleaf://settings');
  const file = join(await page.getByTestId('data-folder').innerText(), 'hub-token');
  await openFromOutside(app, 'longleaf://models');
  await page.getByRole('radio', { name: 'Find at the hub' }).click();
  await page.getByLabel('Access token of your account at the hub').fill(token);
  await page.keyboard.press('Enter');
  await expect(page.getByText(hasKeyStore ? 'A token is kept by the operating system.' : 'A token is kept in a file of the data folder that only you can read: this system offers no key store to Longleaf.')).toBeVisible();
  expect((statSync(file).mode & 0o777).toString(8)).toBe('600');
  expect(readFileSync(file, 'utf8').includes(token)).toBe(!hasKeyStore);
});

test('sleep and waking up end nothing', async ({ app }) => {
  const host = app.hostProcessId();
  await electronOf(app).evaluate(({ powerMonitor }) => {
    powerMonitor.emit('suspend');
    powerMonitor.emit('resume');
  });
  await openFromOutside(app, 'longleaf://settings');
  await expect(app.page.getByTestId('data-folder')).not.toBeEmpty();
  expect(app.hostProcessId()).toBe(host);
});

test('what the interface made is saved where the person says; what it did not make is not', async ({ app }) => {
  const target = join(mkdtempSync(join(tmpdir(), 'longleaf-e2e-')), 'saved.txt');
  await electronOf(app).evaluate(({ session }, path) => {
    const [guard] = session.defaultSession.listeners('will-download');
    session.defaultSession.removeAllListeners('will-download');
    // No dialog can be answered here: the guard decides, the test names the place.
    session.defaultSession.on('will-download', (event, item, contents) => {
      guard(event, item, contents);
      if (!event.defaultPrevented) item.setSavePath(path);
    });
  }, target);
  await app.page.evaluate(() => {
    for (const href of ['app://bundle/index.html', 'data:text/plain,forged', URL.createObjectURL(new Blob(['made here']))]) {
      const link = document.createElement('a');
      link.href = href;
      link.download = 'note.txt';
      link.click();
    }
  });
  await expect.poll(() => readIfThere(target)).toBe('made here');
});

test('a page that has been taken over can say what it likes on its port', async ({ app }) => {
  const host = app.hostProcessId();
  const main = electronOf(app).process().pid ?? 0;
  const answers = await app.page.evaluate(async () => {
    const bridge = window.longleaf;
    if (!bridge) throw new Error('no bridge');
    /** Says something on a connection of its own; the answer, or what became of the connection. */
    const say = (message: unknown) =>
      new Promise<string>((resolve) => {
        const port = bridge.connect();
        port.onMessage((reply) => (reply as { kind: string }).kind === 'event' || resolve(JSON.stringify(reply).slice(0, 200)));
        port.onClose(() => resolve('closed'));
        try {
          port.send(message);
        } catch {
          resolve('not sent');
        }
        setTimeout(() => resolve('nothing'), 3000);
      });
    const cycle: Record<string, unknown> = {};
    cycle['self'] = cycle;
    let brackets: unknown = [];
    for (let depth = 0; depth < 5000; depth += 1) brackets = [brackets];
    const call = (method: unknown, params: unknown) => ({ kind: 'call', id: 1, method, params });
    const said = await Promise.all([
      say('text'),
      say({ id: 10n }),
      say(cycle),
      say(brackets),
      say(call('constructor', {})),
      say(call('__proto__', {})),
      say(call('settings.update', { offline: 'yes' })),
      say(call('settings.update', { toString: 1 })),
      say(call('documents.add', { fileId: '/etc/passwd' })),
      say(call('documents.add', { fileId: '..%2f..%2fetc%2fpasswd' })),
      say(call('documents.text', { documentId: 'x', start: -1, end: 1e300 })),
      say(call('models.import', { path: '/etc/passwd' })),
      say(call('chat.send', { conversationId: 'x'.repeat(100_000), text: 'y' })),
      say({ kind: 'quit' }),
      say({ kind: 'register-file', requestId: 1, path: '/etc/passwd' }),
    ]);
    // More than any host takes: the connection ends, and only it.
    const flood = await new Promise<string>((resolve) => {
      const port = bridge.connect();
      port.onMessage(() => undefined);
      port.onClose(() => resolve('closed'));
      for (let index = 0; index < 60_000; index += 1) port.send(call('models.list', {}));
      setTimeout(() => resolve('open'), 20_000);
    });
    // What a page can do without the bridge's help.
    bridge.showMenu({ language: 'en', commands: [{ id: 'x', label: 'x', menu: 'file', accelerator: 'NoSuchKey+Q', enabled: true }] });
    bridge.showMenu('commands' as never);
    bridge.showMenu({ language: 'tlh', commands: [] } as never);
    bridge.showMenu({ language: 'en', commands: Array.from({ length: 10_000 }, () => ({})) } as never);
    return { said, flood };
  });
  const refusals = answers.said.filter((answer) => /"kind":"failure"/.test(answer) || ['closed', 'not sent'].includes(answer));
  expect(refusals, JSON.stringify(answers)).toHaveLength(answers.said.length);
  expect(['closed', 'open']).toContain(answers.flood);
  expect(app.hostProcessId()).toBe(host);
  expect(isRunning(main)).toBe(true);
  await app.page.reload();
  await expect(new ChatPage(app.page).composer).toBeVisible({ timeout: 30_000 });
});

test('a host that hangs is ended and started again', async ({ app }) => {
  test.setTimeout(90_000);
  await electronOf(app).evaluate(({ dialog }) => {
    dialog.showMessageBox = (() => Promise.resolve({ response: 0, checkboxChecked: false })) as typeof dialog.showMessageBox;
  });
  const hung = app.hostProcessId();
  process.kill(hung, 'SIGSTOP');
  await expect.poll(() => isRunning(hung), { timeout: 40_000 }).toBe(false);
  await expect.poll(() => hostIfThere(app), { timeout: 15_000 }).toBeGreaterThan(0);
  await expect(app.page.getByTestId('banner')).toBeHidden({ timeout: 30_000 });
  await expect(new ChatPage(app.page).conversations.first()).toBeVisible({ timeout: 30_000 });
});

function hostIfThere(app: RunningApp): number {
  try {
    return app.hostProcessId();
  } catch {
    return 0;
  }
}

function readIfThere(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
