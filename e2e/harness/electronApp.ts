/** Longleaf in its own window, in the Electron that `npm test` found. */
import { join } from 'node:path';
import { _electron, type ElectronApplication, type Page } from '@playwright/test';
import { childProcesses } from './processes.ts';
import { notePolicyViolations } from './policyViolations.ts';
import { type AppOptions, repositoryFolder, required, type RunningApp } from './runningApp.ts';

export interface RunningElectron extends RunningApp {
  readonly application: ElectronApplication;
}

export async function startElectronApp(options: AppOptions): Promise<RunningElectron> {
  let application = await launch(options);
  let page: Page = await application.firstWindow();
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
      page = await application.firstWindow();
      notePolicyViolations(page, policyViolations);
    },
    close: () => application.close(),
  };
}

function launch({ dataFolder, environment }: AppOptions): Promise<ElectronApplication> {
  // Chromium refuses to run its sandbox as root.
  const flags = process.getuid?.() === 0 ? ['--no-sandbox'] : [];
  return _electron.launch({
    timeout: 60_000,
    executablePath: required('LONGLEAF_TEST_ELECTRON'),
    args: [...flags, `--user-data-dir=${join(dataFolder, 'electron')}`],
    env: { ...definedEnvironment(), ...environment, LONGLEAF_DATA: dataFolder, LONGLEAF_APP_FOLDER: repositoryFolder },
  });
}

function definedEnvironment(): Record<string, string> {
  return Object.fromEntries(Object.entries(process.env).filter((entry): entry is [string, string] => entry[1] !== undefined));
}
