/**
 * One download under random faults: the hub, the host of the bytes and the connections misbehave, and the process that
 * downloads is killed at random moments and started again. It ends when the file is there, or, where the bytes
 * themselves are lied about, when the download says so.
 */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import * as z from 'zod';
import { type Download, type DownloadTarget, download } from '../../contract/entities.ts';
import { seededRandom } from '../memoryParts.ts';
import { contentOf } from '../hub/hubContent.ts';
import { startModelHub } from '../hub/modelHub.ts';
import { hubFaults, pick, storageFaults } from './randomFaults.ts';

const ending = z.object({ download, models: z.array(z.string()) });

export interface TortureResult {
  seed: number;
  /** The bytes were lied about at least once, under the right name. */
  lied: boolean;
  state: Download['state'];
  failureCode: string | null;
  /** Ends of a process on the way: kills, and failures with a name. */
  kills: number;
  namedFailures: string[];
  faults: number;
  requests: number;
  /** Written to the part by all processes together, and sent by the server. */
  writtenBytes: number;
  sentBytes: number;
  sizeBytes: number;
  seconds: number;
}

export interface TortureOptions {
  seed: number;
  model: Buffer;
  program: string;
  /** Of each connection. */
  bytesPerSecond: number;
  faultShare: number;
  mostKills: number;
  lies: boolean;
}

/** After so many processes nothing is broken any more, so that every run ends. */
const faultySessions = 8;
const mostSessions = 12;

/** One file starts several times sooner than many. */
export async function bundleDownloader(folder: string): Promise<string> {
  const outfile = join(folder, 'downloadingProcess.mjs');
  const entry = fileURLToPath(new URL('./downloadingProcess.ts', import.meta.url));
  const banner = { js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);" };
  await build({ entryPoints: [entry], bundle: true, platform: 'node', format: 'esm', outfile, banner, logLevel: 'error' });
  return outfile;
}

/** @throws when a corrupt file is marked ready, or a state has no name or cannot be gone on with. */
export async function tortureRun(options: TortureOptions): Promise<TortureResult> {
  const { seed, model, program, bytesPerSecond, faultShare, mostKills, lies } = options;
  const random = seededRandom(seed);
  const content = contentOf(model);
  const changed = Buffer.from(model);
  changed[Math.floor(model.length / 2)] ^= 1;
  const lie = { ...contentOf(changed), sha256: content.sha256 };
  const choices = storageFaults(random, model.length, contentOf(changed));
  const state = { session: 0, faults: 0, lied: false };
  const chance = (share: number) => state.session <= faultySessions && random() < share;
  const hub = await startModelHub({
    repositories: [{ id: 'someone/model', files: { 'model.gguf': content } }],
    hubFault: () => {
      if (!chance(faultShare / 4)) return undefined;
      state.faults += 1;
      return pick(random, hubFaults());
    },
    storageFault: () => {
      if (lies && chance(0.2)) {
        state.lied = true;
        return { content: lie, bytesPerSecond };
      }
      if (!chance(faultShare)) return { bytesPerSecond };
      state.faults += 1;
      return { bytesPerSecond, ...pick(random, choices)() };
    },
  });
  const root = mkdtempSync(join(tmpdir(), 'longleaf-torture-'));
  const source = { kind: 'hub' as const, repository: 'someone/model', revision: 'main', path: 'model.gguf' };
  const target: DownloadTarget = { id: 'model', catalogueId: null, name: 'Model', licence: null, files: [{ fileName: 'model.gguf', sizeBytes: model.length, sha256: content.sha256, sources: [source] }] };
  const startedAt = performance.now();
  const namedFailures: string[] = [];
  let kills = 0;
  const wanted = Math.floor(random() * (mostKills + 1));
  try {
    for (;;) {
      state.session += 1;
      const killAfterMs = kills < wanted ? 100 + random() * ((model.length / bytesPerSecond / 4) * 1000 + 400) : null;
      const end = await runOnce(program, [root, hub.endpoint, JSON.stringify(target)], killAfterMs);
      if (end === 'killed') {
        kills += 1;
        continue;
      }
      checkListed(seed, end.models, content.sha256);
      const { state: reached, failure } = end.download;
      const result = (): TortureResult => ({
        seed, lied: state.lied, state: reached, failureCode: failure?.code ?? null, kills, namedFailures, faults: state.faults, requests: hub.requests.length,
        writtenBytes: Number(readFileSync(join(root, 'written'), 'utf8').trim()), sentBytes: hub.sentBytes(), sizeBytes: model.length, seconds: (performance.now() - startedAt) / 1000,
      });
      if (reached === 'done') {
        if (end.models.length !== 1) throw new Error(`seed ${seed}: done, but ${end.models.length} models are listed`);
        const left = readdirSync(join(root, 'models')).filter((name) => !name.endsWith('.gguf'));
        if (left.length > 0) throw new Error(`seed ${seed}: left over: ${left.join(', ')}`);
        return result();
      }
      if (reached !== 'failed' || !failure?.code || failure.code === 'internal' || !failure.message || !failure.remedy) {
        throw new Error(`seed ${seed}: ended as ${JSON.stringify(end.download)}`);
      }
      namedFailures.push(failure.code);
      if (failure.code === 'checksum-mismatch') {
        if (!state.lied) throw new Error(`seed ${seed}: a mismatch that nobody caused: ${failure.message}`);
        return result();
      }
      if (!existsSync(join(root, 'models', `${content.sha256}.hub.part.journal`))) throw new Error(`seed ${seed}: ${failure.code} left nothing to go on with`);
      // A machine that is too busy to answer itself in time: the state is a named one, and can be gone on with.
      if (state.session >= mostSessions) return result();
    }
  } finally {
    await hub.close();
    rmSync(root, { recursive: true, force: true });
  }
}

/** Whatever is listed must be the right file. */
function checkListed(seed: number, paths: readonly string[], sha256: string): void {
  for (const path of paths) {
    if (createHash('sha256').update(readFileSync(path)).digest('hex') !== sha256) throw new Error(`seed ${seed}: a corrupt file was marked ready`);
  }
}

async function runOnce(program: string, parameters: string[], killAfterMs: number | null): Promise<'killed' | z.infer<typeof ending>> {
  const child = spawn(process.execPath, [program, ...parameters], { stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  let complaint = '';
  child.stdout.on('data', (piece: Buffer) => (output += piece.toString()));
  child.stderr.on('data', (piece: Buffer) => (complaint += piece.toString()));
  const timer = killAfterMs === null ? undefined : setTimeout(() => child.kill('SIGKILL'), killAfterMs);
  await new Promise<void>((resolve) => child.once('close', () => resolve()));
  clearTimeout(timer);
  if (child.signalCode === 'SIGKILL' && output === '') return 'killed';
  if (output === '') throw new Error(`the downloading process ended by itself: ${complaint}`);
  return ending.parse(JSON.parse(output));
}
