/** Playwright's `test` with a running Longleaf, of the kind the project asks for, on a fresh data folder. */
import { test as base } from '@playwright/test';
import type { ModelHub } from '../../host/testing/hub/modelHub.ts';
import { startElectronApp } from './electronApp.ts';
import { startHub } from './hub.ts';
import { required, type RunningApp, temporaryFolder } from './runningApp.ts';
import { startServedApp } from './servedApp.ts';

interface TestFixtures {
  pictureOfFailure: void;
}

interface WorkerFixtures {
  /** Files that name different stories do not share an app. */
  story: string;
  /** Of each connection to the hub: where the progress of a download is to be seen. */
  hubBytesPerSecond: number | null;
  /** The hub that the app searches and downloads from. */
  hub: ModelHub;
  /** Has something removed that the app writes to: once it has closed, which is after every `afterAll`. */
  afterwards: (remove: () => void) => void;
  /** One app for all tests of a story: they follow one another like the steps of a person. */
  app: RunningApp;
}

export const test = base.extend<TestFixtures, WorkerFixtures>({
  story: ['', { scope: 'worker', option: true }],
  hubBytesPerSecond: [null, { scope: 'worker', option: true }],
  hub: [
    // oxlint-disable-next-line no-unused-vars -- another story is another app, and so another hub
    async ({ story, hubBytesPerSecond }, use) => {
      const hub = await startHub(required('LONGLEAF_TEST_MODELS'), hubBytesPerSecond);
      await use(hub);
      await hub.close();
    },
    { scope: 'worker' },
  ],
  afterwards: [
    // oxlint-disable-next-line no-unused-vars -- of one story
    async ({ story }, use) => {
      const removals: (() => void)[] = [];
      await use((remove) => void removals.push(remove));
      for (const remove of removals) remove();
    },
    { scope: 'worker' },
  ],
  app: [
    // oxlint-disable-next-line no-unused-vars -- what is to be removed afterwards outlives it
    async ({ hub, afterwards }, use, { project }) => {
      const folder = temporaryFolder();
      const environment = { HF_ENDPOINT: hub.endpoint, LONGLEAF_TEST_DEVICE_LOSS: '1', LONGLEAF_TEST_HANG_MS: '8000' };
      const options = { dataFolder: folder.path, environment };
      const app = await (project.name === 'electron' ? startElectronApp(options) : startServedApp(options));
      await use(app);
      await app.close();
      folder.remove();
    },
    { scope: 'worker' },
  ],
  pictureOfFailure: [
    async ({ app }, use, testInfo) => {
      await use();
      if (testInfo.status === testInfo.expectedStatus) return;
      await testInfo.attach('window', { body: await app.page.screenshot(), contentType: 'image/png' });
    },
    { auto: true },
  ],
});

export { expect } from '@playwright/test';
