/** The window's process, the host and the real GPU worker are killed while they are used; `host/kills.test.ts` kills more of the latter two. */
import { join } from 'node:path';
import { expect, test } from '@playwright/test';
import { checkFolder } from '../host/testing/kills/checkFolder.ts';
import { killRun, summaryOf, usableWithinMs } from '../host/testing/kills/killRun.ts';
import { makeKillScene } from '../host/testing/kills/scene.ts';
import { electronLives } from './harness/electronLife.ts';
import { required, temporaryFolder } from './harness/runningApp.ts';

test('14 kills of main, host and worker lose nothing that was acknowledged, and the next start is usable soon', async () => {
  test.setTimeout(300_000);
  const folder = temporaryFolder();
  const { dataFolder, work, hub, environment } = await makeKillScene(join(folder.path, 'scene'), { words: 100 });
  try {
    const start = electronLives(required('LONGLEAF_TEST_ELECTRON'), environment);
    const { problems, kills, usableMs, undisturbedMs } = await killRun({ start, dataFolder, work, kills: 14, seed: 1, longestLifeMs: 800 });
    expect(problems).toEqual([]);
    expect(await checkFolder(dataFolder)).toEqual([]);
    expect(Math.min(kills.main, kills.host, kills.worker)).toBeGreaterThan(0);
    expect(summaryOf(usableMs.main).medianMs).toBeLessThan(usableWithinMs(undisturbedMs));
  } finally {
    await hub.close();
    folder.remove();
  }
});
