/** What Electron's main process grants and refuses, in the window that people get. */
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { RunningElectron } from './harness/electronApp.ts';
import { childProcesses, isRunning } from './harness/processes.ts';
import type { RunningApp } from './harness/runningApp.ts';
import { expect, test } from './harness/test.ts';
import { FirstRunPage } from './pages/firstRunPage.ts';

test.use({ story: 'shell' });

const inElectron = (app: RunningApp) => app as RunningElectron;

function writeDocument(): string {
  const path = join(mkdtempSync(join(tmpdir(), 'longleaf-e2e-')), 'letter.txt');
  writeFileSync(path, 'Dear reader, this is a letter.');
  return path;
}

test('the page is isolated, sandboxed and from the bundle', async ({ app }) => {
  const preferences = await inElectron(app).application.evaluate(({ BrowserWindow }) => {
    // Electron's own record of what a window was made with; not in its types.
    const contents = BrowserWindow.getAllWindows()[0].webContents as unknown as { getLastWebPreferences(): Record<string, unknown> };
    const { contextIsolation, sandbox, nodeIntegration, webSecurity, webviewTag } = contents.getLastWebPreferences();
    return { contextIsolation, sandbox, nodeIntegration, webSecurity, webviewTag };
  });
  expect(preferences).toMatchObject({ contextIsolation: true, sandbox: true, nodeIntegration: false, webSecurity: true });
  expect(preferences.webviewTag ?? false).toBe(false);
  expect(new URL(app.page.url()).href).toMatch(/^app:\/\/bundle\/index\.html/);
  const seen = await app.page.evaluate(() => ({
    bridge: Object.keys(window.longleaf ?? {}).sort(),
    node: [typeof (globalThis as { require?: unknown }).require, typeof (globalThis as { process?: unknown }).process],
    isolated: crossOriginIsolated,
  }));
  expect(seen).toEqual({
    bridge: ['connect', 'onCommand', 'onOpened', 'openExternal', 'pickFiles', 'platform', 'registerDroppedFile', 'showMenu'],
    node: ['undefined', 'undefined'],
    isolated: true,
  });
});

test('the page runs without a violation of its content security policy', async ({ app }) => {
  await app.page.reload();
  await expect(new FirstRunPage(app.page).screen).toBeVisible();
  expect(app.policyViolations).toEqual([]);
});

test('scripts and requests from within the page are refused', async ({ app }) => {
  const attempts = await app.page.evaluate(async () => {
    const outcome = async (attempt: () => unknown) => {
      // What runs while the debugger evaluates is exempt from the policy; what runs after it is not.
      await new Promise((resolve) => setTimeout(resolve));
      try {
        return String(await attempt());
      } catch (error) {
        return error instanceof Error ? error.name : 'refused';
      }
    };
    return {
      // oxlint-disable-next-line no-eval -- that it is refused is what is tested
      evaluated: await outcome(() => (0, eval)('1 + 1')),
      html: await outcome(() => document.createElement('div').insertAdjacentHTML('beforeend', '<b>x</b>')),
      network: await outcome(() => fetch('http://127.0.0.1:1/')),
      file: await outcome(() => fetch('file:///etc/passwd')),
      outside: await outcome(async () => (await fetch('app://bundle/..%2f..%2fpackage.json')).status),
      popup: await outcome(() => window.open('app://bundle/index.html')),
      location: await outcome(async () => (await navigator.permissions.query({ name: 'geolocation' })).state),
    };
  });
  expect(attempts).toEqual({
    evaluated: 'EvalError',
    html: 'TypeError',
    network: 'TypeError',
    file: 'TypeError',
    outside: '404',
    popup: 'null',
    location: 'denied',
  });
});

test('only web links are opened outside', async ({ app }) => {
  const opened = await inElectron(app).application.evaluateHandle(({ shell }) => {
    const urls: string[] = [];
    shell.openExternal = (url) => {
      urls.push(url);
      return Promise.resolve();
    };
    return urls;
  });
  const refusals = await app.page.evaluate(async () => {
    const messages: string[] = [];
    for (const url of ['file:///etc/passwd', 'javascript:alert(1)', 'app://bundle/index.html', 'smb://server/share', '', 'https://example.org/a b']) {
      await window.longleaf?.openExternal(url).catch((error: Error) => messages.push(error.message));
    }
    return messages;
  });
  expect(refusals).toHaveLength(5);
  expect(await opened.jsonValue()).toEqual(['https://example.org/a%20b']);
});

test('files reach the page as opaque ids, chosen or dropped', async ({ app }) => {
  const path = writeDocument();
  await app.page.evaluate(() => {
    const probe = document.createElement('input');
    probe.type = 'file';
    probe.dataset['testid'] = 'probe';
    document.body.append(probe);
  });
  await app.page.getByTestId('probe').setInputFiles(path);
  const dropped = await app.page.evaluate(() => {
    const [file] = document.querySelector<HTMLInputElement>('[data-testid=probe]')?.files ?? [];
    return window.longleaf?.registerDroppedFile(file);
  });
  const forged = await app.page.evaluate(() => window.longleaf?.registerDroppedFile(new File(['x'], '/etc/passwd')).catch((error: Error) => error.message));
  expect(dropped).toEqual({ fileId: expect.stringMatching(/^[A-Za-z0-9_-]+$/), name: 'letter.txt' });
  expect(JSON.stringify(dropped)).not.toContain(tmpdir());
  expect(forged).toBe('This is not something Longleaf can open.');

  let chosen: unknown;
  await app.choosingFile(path, async () => {
    chosen = await app.page.evaluate(() => window.longleaf?.pickFiles('document'));
  });
  expect(chosen).toEqual([{ fileId: expect.any(String), name: 'letter.txt' }]);
});

test('the page cannot leave the bundle', async ({ app }) => {
  const before = app.page.url();
  await app.page.evaluate(() => {
    window.location.href = 'https://example.org/';
  });
  await app.page.waitForTimeout(300);
  expect(app.page.url()).toBe(before);
  expect(inElectron(app).application.windows()).toHaveLength(1);
  // Playwright waits for a navigation that it saw beginning; this is one that ends.
  await app.page.reload();
});

test('the host is started again when it dies, and the window goes on', async ({ app }) => {
  const told = await inElectron(app).application.evaluateHandle(({ dialog }) => {
    const messages: string[] = [];
    dialog.showMessageBox = ((options: { message: string }) => {
      messages.push(options.message);
      return Promise.resolve({ response: 0, checkboxChecked: false });
    }) as typeof dialog.showMessageBox;
    return messages;
  });
  const killed = app.hostProcessId();
  const workers = childProcesses(killed).map(({ processId }) => processId);
  process.kill(killed, 'SIGKILL');
  await expect.poll(() => hostOtherThan(app, killed), { timeout: 15_000 }).toBe(true);
  expect(await told.jsonValue()).toEqual(['A part of Longleaf stopped and was started again.']);
  await expect(new FirstRunPage(app.page).machine).toBeVisible();
  await expect(app.page.getByTestId('banner')).toBeHidden({ timeout: 30_000 });
  await expect.poll(() => workers.filter(isRunning), { timeout: 10_000 }).toEqual([]);
});

test('a window whose process crashes is loaded again', async ({ app }) => {
  const host = app.hostProcessId();
  // Playwright takes a page that has crashed for dead, and Electron never answers for one that has.
  const inWindow = (script: string) =>
    inElectron(app).application.evaluate(
      ({ BrowserWindow }, code) =>
        Promise.race([BrowserWindow.getAllWindows()[0].webContents.executeJavaScript(code) as Promise<unknown>, new Promise<null>((resolve) => setTimeout(resolve, 500, null))]),
      script,
    );
  await inWindow('window.beforeTheCrash = true');
  await inElectron(app).application.evaluate(({ BrowserWindow }) => BrowserWindow.getAllWindows()[0].webContents.forcefullyCrashRenderer());
  await expect.poll(() => inWindow('[window.beforeTheCrash ?? false, document.querySelector("[data-testid=first-run]") !== null]'), { timeout: 30_000 }).toEqual([false, true]);
  expect(app.hostProcessId()).toBe(host);
});

test('when main dies, nothing is left running', async ({ app }) => {
  const host = app.hostProcessId();
  await expect.poll(() => childProcesses(host).length).toBeGreaterThan(0);
  const workers = childProcesses(host).map(({ processId }) => processId);
  inElectron(app).application.process().kill('SIGKILL');
  await expect.poll(() => [host, ...workers].filter(isRunning), { timeout: 10_000 }).toEqual([]);
});

function hostOtherThan(app: RunningApp, processId: number): boolean {
  try {
    return app.hostProcessId() !== processId;
  } catch {
    return false;
  }
}
