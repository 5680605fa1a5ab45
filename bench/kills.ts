/**
 * Kills at random moments, while somebody reads, asks, deletes and downloads, and while an older database is migrated:
 *
 *     node bench/kills.ts host       [--kills N] [--seed N]              host and (scripted) worker
 *     node bench/kills.ts migration  [--kills N] [--seed N] [--app APP]  the host, or with APP Electron main, while migrating
 *     node bench/kills.ts main --app APP [--kills N] [--seed N]          Electron main, host and the real GPU worker
 *
 * APP: the executable that `npm run package -- --test` prints; it needs a display (`xvfb-run -a node bench/kills.ts …`).
 * Prints one JSON object: kills by what was killed and what was under way, what had been acknowledged, and how long it took
 * until the contract answered again. Ends with status 1 where something was lost, damaged or left over.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { cpus, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { electronLives } from '../e2e/harness/electronLife.ts';
import { bundleHost } from '../host/testing/kills/bundledHost.ts';
import { checkFolder } from '../host/testing/kills/checkFolder.ts';
import { killRun, summaryOf } from '../host/testing/kills/killRun.ts';
import { hostLives, type StartLife } from '../host/testing/kills/life.ts';
import { migrationKills } from '../host/testing/kills/migrationKills.ts';
import { makeKillScene } from '../host/testing/kills/scene.ts';

const { positionals, values } = parseArgs({ allowPositionals: true, options: { kills: { type: 'string', default: '100' }, seed: { type: 'string', default: '1' }, app: { type: 'string' } } });
const [what = ''] = positionals;
const [kills, seed] = [Number(values.kills), Number(values.seed)];
const tellEvery = 25;
const root = mkdtempSync(join(tmpdir(), 'longleaf-kills-'));
const begunMs = performance.now();
const onKill = (count: number) => {
  if (count % tellEvery === 0) console.error(`${what}: ${count} of ${kills} kills after ${Math.round((performance.now() - begunMs) / 1000)} s`);
};

const outcome = what === 'migration' ? await whileMigrating() : await whileUsed();
const { problems } = outcome;
console.log(JSON.stringify({ bench: 'kills', what, seed, ...outcome, seconds: Math.round((performance.now() - begunMs) / 1000), processor: cpus()[0]?.model, load: loadavg()[0] }));
if (problems.length === 0) rmSync(root, { recursive: true, force: true });
else console.error(`kept: ${root}`);
process.exit(problems.length > 0 ? 1 : 0);

async function whileUsed() {
  const scene = await makeKillScene(root, { words: what === 'main' ? 100 : 200 });
  const { dataFolder, work, hub } = scene;
  const start = await lives(scene.environment);
  const longestLifeMs = what === 'main' ? 1000 : 400;
  const { usableMs, workerReadyMs, undisturbedMs, problems, ...counts } = await killRun({ start, dataFolder, work, kills, seed, longestLifeMs, onKill });
  await hub.close();
  return {
    ...counts,
    undisturbed: summaryOf(undisturbedMs),
    usable: { main: summaryOf(usableMs.main), host: summaryOf(usableMs.host), worker: summaryOf(usableMs.worker) },
    workerReady: summaryOf(workerReadyMs),
    problems: [...problems, ...(await checkFolder(dataFolder))],
  };
}

async function whileMigrating() {
  const { usableMs, undisturbedMs, ...counts } = await migrationKills(await lives({}), root, kills, seed, onKill);
  return { ...counts, undisturbed: summaryOf(undisturbedMs), usable: summaryOf(usableMs) };
}

async function lives(environment: NodeJS.ProcessEnv): Promise<StartLife> {
  if (values.app !== undefined) return electronLives(values.app, environment);
  if (what === 'main') throw new Error('--app is needed');
  return hostLives(await bundleHost(root), { ...environment, SCRIPTED_CHUNK_MS: '5', SCRIPTED_TOKEN_MS: '2' });
}
