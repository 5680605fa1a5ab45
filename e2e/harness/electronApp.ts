/** Longleaf in its own window: the packaged app that `npm test` made. */
import { join } from 'node:path';
import { _electron, type ElectronApplication, type Page } from '@playwright/test';
import { childProcesses } from './processes.ts';
import { notePolicyViolations } from './policyViolations.ts';
import { type AppOptions, required, type RunningApp } from './runningApp.ts';

export interface RunningElectron extends RunningApp {
  readonly application: ElectronApplication;
}

export async function startElectronApp(options: AppOptions): Promise<RunningElectron> {
  let application = await launch(options);
  let page = await loadedWindow(application);
  const policyViolations: string[] = [];
  notePolicyViolations(page, policyViolations);
  return {
    kind: 'electron',
    policyViolations,
    get application() {
      return application;
    },
    get page() {
      return page;
    },
    hostProcessId: () => {
      const host = childProcesses(application.process().pid ?? 0).find(({ command }) => command.includes('host.js'));
      if (!host) throw new Error('Electron has no host process.');
      return host.processId;
    },
    choosingFile: async (path, action) => {
      await application.evaluate(({ dialog }, chosen) => {
        dialog.showOpenDialog = () => Promise.resolve({ canceled: false, filePaths: [chosen] });
      }, path);
      await action();
    },
    restart: async () => {
      await application.close();
      application = await launch(options);
      page = await loadedWindow(application);
      notePolicyViolations(page, policyViolations);
    },
    close: () => application.close(),
  };
}

/** The first window there is may still be empty; in one that has loaded, keys have an effect. */
async function loadedWindow(application: ElectronApplication): Promise<Page> {
  const page = await application.firstWindow();
  await page.waitForLoadState('load');
  return page;
}

/** Connecting sometimes hangs when the window opens meanwhile; then everything is begun again. */
const launchAttempts = 3;
const launchTimeoutMs = 30_000;

async function launch(options: AppOptions): Promise<ElectronApplication> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await launchOnce(options);
    } catch (error) {
      if (attempt === launchAttempts) throw error;
    }
  }
}

function launchOnce({ dataFolder, environment }: AppOptions): Promise<ElectronApplication> {
  // Chromium refuses to run its sandbox as root.
  const flags = process.getuid?.() === 0 ? ['--no-sandbox'] : [];
  return _electron.launch({
    timeout: launchTimeoutMs,
    executablePath: required('LONGLEAF_TEST_ELECTRON'),
    args: [...flags, `--user-data-dir=${join(dataFolder, 'electron')}`],
    env: { ...definedEnvironment(), ...environment, LONGLEAF_DATA: dataFolder },
  });
}

function definedEnvironment(): Record<string, string> {
  return Object.fromEntries(Object.entries(process.env).filter((entry): entry is [string, string] => entry[1] !== undefined));
}
