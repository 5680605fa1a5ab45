/** Longleaf in a browser: `longleaf serve`, and a page that opened its single-use address. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { type Browser, chromium, type Page } from '@playwright/test';
import { notePolicyViolations } from './policyViolations.ts';
import { type AppOptions, hostEntry, required, type RunningApp } from './runningApp.ts';

/** A browser looks up names of its own accord. */
const onlyThisMachine = '--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1';

interface Served {
  host: ChildProcess;
  url: string;
}

export async function startServedApp(options: AppOptions): Promise<RunningApp> {
  const browser: Browser = await chromium.launch({ executablePath: required('LONGLEAF_TEST_CHROMIUM'), args: [onlyThisMachine] });
  let { host, url } = await serve(options);
  const policyViolations: string[] = [];
  let page: Page = await openPage(browser, url, policyViolations);
  return {
    kind: 'chromium',
    policyViolations,
    get page() {
      return page;
    },
    hostProcessId: () => host.pid ?? 0,
    choosingFile: async (path, action) => {
      const chooser = page.waitForEvent('filechooser');
      await action();
      await (await chooser).setFiles(path);
    },
    restart: async () => {
      await page.context().close();
      await endHost(host);
      ({ host, url } = await serve(options));
      page = await openPage(browser, url, policyViolations);
    },
    close: async () => {
      await browser.close();
      await endHost(host);
    },
  };
}

/** Starts the host and waits for the address it prints. */
export async function serve({ dataFolder, environment, entry = hostEntry, command = [] }: AppOptions): Promise<Served> {
  const [program = '', ...args] = [...command, required('LONGLEAF_RUNTIME_NODE'), entry, 'serve', '--no-open', '--port', '0', '--json', '--data', dataFolder];
  const host = spawn(program, args, {
    env: { ...process.env, ...environment },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const lines = createInterface({ input: host.stdout });
  const url = new Promise<string>((resolve, reject) => {
    lines.on('line', (line) => {
      const event = JSON.parse(line) as { event: string; url: string };
      if (event.event === 'serving') resolve(event.url);
    });
    host.once('exit', (status) => reject(new Error(`The host ended before it served anything (status ${status}).`)));
  });
  return { host, url: await url };
}

export async function endHost(host: ChildProcess): Promise<void> {
  if (host.exitCode !== null || host.signalCode !== null) return;
  const ended = once(host, 'exit');
  host.kill('SIGTERM');
  await ended;
}

async function openPage(browser: Browser, url: string, policyViolations: string[]): Promise<Page> {
  const context = await browser.newContext({ viewport: { width: 1280, height: 860 }, permissions: ['clipboard-read', 'clipboard-write'] });
  const page = await context.newPage();
  notePolicyViolations(page, policyViolations);
  await page.goto(url);
  return page;
}
