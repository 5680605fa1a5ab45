/**
 * Hosts and workers that are killed at random moments while they answer, read, take documents in, delete, download and
 * migrate. Whatever was acknowledged is there afterwards, and nothing is damaged or left over. `bench/kills.ts` is the long
 * run, `e2e/kills.electron.spec.ts` kills the window's process, too.
 */
import { onTestFinished, expect, test } from 'vitest';
import { bundleHost } from './testing/kills/bundledHost.ts';
import { checkFolder } from './testing/kills/checkFolder.ts';
import { killRun, summaryOf, usableWithinMs } from './testing/kills/killRun.ts';
import { hostLives } from './testing/kills/life.ts';
import { migrationKills } from './testing/kills/migrationKills.ts';
import { makeKillScene } from './testing/kills/scene.ts';
import { temporaryFolder } from './testing/temporaryFolder.ts';

test('26 kills of host and worker while answering, reading, deleting and downloading lose nothing that was acknowledged, and damage nothing', { timeout: 300_000 }, async () => {
  const root = temporaryFolder();
  const { dataFolder, work, hub, environment } = await makeKillScene(root);
  onTestFinished(() => hub.close());
  const start = hostLives(await bundleHost(root), { ...environment, SCRIPTED_CHUNK_MS: '5', SCRIPTED_TOKEN_MS: '2' });
  const { problems, acknowledged, underWay, usableMs, undisturbedMs, kills } = await killRun({ start, dataFolder, work, kills: 26, seed: 1, longestLifeMs: 400 });
  expect(problems).toEqual([]);
  expect(await checkFolder(dataFolder)).toEqual([]);
  expect(kills.worker).toBeGreaterThan(3);
  expect(acknowledged.questions).toBeGreaterThan(10);
  expect(Math.min(underWay.answering, underWay.reading, underWay.downloading)).toBeGreaterThan(0);
  expect(summaryOf(usableMs.host).medianMs).toBeLessThan(usableWithinMs(undisturbedMs));
});

test('10 kills while the database of an older version is migrated lose nothing, and leave nothing behind', { timeout: 180_000 }, async () => {
  const root = temporaryFolder();
  const { problems, unfinished, usableMs, undisturbedMs } = await migrationKills(hostLives(await bundleHost(root)), root, 10, 1);
  expect(problems).toEqual([]);
  expect(unfinished).toBeGreaterThan(2);
  expect(summaryOf(usableMs).medianMs).toBeLessThan(usableWithinMs(undisturbedMs));
});
