/**
 * Lives of Longleaf, each killed at a random moment while somebody uses it: the process that a person starts, or before
 * it the worker or, under Electron, the host. The next life begins at once. What was acknowledged is looked for at the
 * beginning of each.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { descendantsOf, isAlive } from '../childrenOf.ts';
import { eventually } from '../eventually.ts';
import { seededRandom } from '../memoryParts.ts';
import { Ledger } from './ledger.ts';
import { type Life, type StartLife, type Window, firstPage, usable, workerProcessId } from './life.ts';
import { type Activity, Person, type Work } from './person.ts';

export type Victim = 'host' | 'worker' | 'main';

export interface KillRunOptions {
  start: StartLife;
  dataFolder: string;
  work: Work;
  kills: number;
  seed: number;
  /** The work of one life goes on for up to this long before it is killed. */
  longestLifeMs: number;
  onKill?(kills: number): void;
}

export interface KillRunOutcome {
  kills: Record<Victim, number>;
  /** What was under way when something was killed; several at once count each. */
  underWay: Record<Activity | 'starting' | 'nothing', number>;
  acknowledged: Ledger['counts'];
  /** Until the contract lists conversations again: starts in order before all kills, then those after one, by what was killed. */
  undisturbedMs: number[];
  usableMs: Record<Victim, number[]>;
  /** From the end of a worker until another one is ready; the host answers meanwhile. */
  workerReadyMs: number[];
  problems: string[];
}

const undisturbedStarts = 3;
/** Every fourth life dies in its first moments, before anybody could use it. */
const firstMomentsMs = 700;
const goneWithinMs = 10_000;

export function killRun(options: KillRunOptions, ledger = new Ledger()): Promise<KillRunOutcome> {
  return new KillRun(options, ledger).run();
}

class KillRun {
  readonly #options: KillRunOptions;
  readonly #ledger: Ledger;
  readonly #random: () => number;
  readonly #outcome: KillRunOutcome;

  constructor(options: KillRunOptions, ledger: Ledger) {
    this.#options = options;
    this.#ledger = ledger;
    this.#random = seededRandom(options.seed);
    this.#outcome = {
      kills: { host: 0, worker: 0, main: 0 },
      underWay: { answering: 0, reading: 0, downloading: 0, deleting: 0, starting: 0, nothing: 0 },
      acknowledged: ledger.counts,
      undisturbedMs: [],
      usableMs: { host: [], worker: [], main: [] },
      workerReadyMs: [],
      problems: [],
    };
  }

  async run(): Promise<KillRunOutcome> {
    const { start, dataFolder } = this.#options;
    const outcome = this.#outcome;
    for (let count = 0; count < undisturbedStarts; count += 1) {
      const begunMs = performance.now();
      const life = start(dataFolder);
      await usable(life);
      outcome.undisturbedMs.push(performance.now() - begunMs);
      await life.quit();
    }
    /** Of the life before: nothing of it may be left soon. */
    let left: number[] = [];
    for (let round = 0; this.#killed < this.#options.kills; round += 1) {
      const begunMs = performance.now();
      const life = start(dataFolder);
      if (round % 4 === 3) {
        await pause(this.#random() * firstMomentsMs);
        left.push(...(await this.#endRoot(life, ['starting'])));
        continue;
      }
      const window = await usable(life);
      if (round > 0) outcome.usableMs[life.root].push(performance.now() - begunMs);
      await eventually(() => !left.some(isAlive), goneWithinMs).catch(() => outcome.problems.push(`outlived what started them: ${left.filter(isAlive).join(', ')}`));
      outcome.problems.push(...(await this.#ledger.check(window.client)));
      left = await this.#useAndKill(life, window, round);
    }
    // The last one died: what it had said is looked for, too.
    const life = start(dataFolder);
    const { client } = await usable(life);
    outcome.problems.push(...(await this.#ledger.check(client)));
    await life.quit();
    return outcome;
  }

  get #killed(): number {
    return Object.values(this.#outcome.kills).reduce((sum, count) => sum + count, 0);
  }

  /** Returns what the root has left behind. */
  async #useAndKill(life: Life, first: Window, round: number): Promise<number[]> {
    let window = first;
    let person = this.#begin(window, `${round}`, round % 2 === 1);
    await eventually(() => person.heard > 0 || person.problems.length > 0);
    await this.#someTime();
    if (round % 3 === 0) await this.#killWorker(life, window, person);
    if (round % 3 === 1 && life.root === 'main') {
      const host = life.hostProcessId();
      if (host !== undefined) {
        this.#strike('host', host, person.underWay);
        const begunMs = performance.now();
        await person.done;
        window = await usable(life);
        this.#outcome.usableMs.host.push(performance.now() - begunMs);
        this.#outcome.problems.push(...person.problems, ...(await this.#ledger.check(window.client)));
        person = this.#begin(window, `${round}b`, round % 2 === 0);
        await this.#someTime();
      }
    }
    const left = await this.#endRoot(life, person.underWay);
    await person.done;
    this.#outcome.problems.push(...person.problems);
    return left;
  }

  #begin(window: Window, name: string, asksLittle: boolean): Person & { done: Promise<void> } {
    const person = new Person(window, this.#options.work, this.#ledger, name, asksLittle);
    return Object.assign(person, { done: person.use() });
  }

  /** The host goes on and starts another. */
  async #killWorker(life: Life, { client }: Window, person: Person): Promise<void> {
    const worker = await eventually(() => workerProcessId(life));
    await eventually(async () => (await client.call('app.status', {})).worker.state === 'ready', 60_000);
    const isReady = new Promise<void>((resolve) => {
      client.on('worker.status', ({ state }) => {
        if (state === 'ready' && ![undefined, worker].includes(workerProcessId(life))) resolve();
      });
    });
    const begunMs = performance.now();
    this.#strike('worker', worker, person.underWay);
    await client.call('conversations.list', firstPage);
    this.#outcome.usableMs.worker.push(performance.now() - begunMs);
    await isReady;
    this.#outcome.workerReadyMs.push(performance.now() - begunMs);
    await this.#someTime();
  }

  async #endRoot(life: Life, underWay: readonly (Activity | 'starting')[]): Promise<number[]> {
    const left = descendantsOf(life.processId);
    this.#strike(life.root, life.processId, underWay);
    await life.kill();
    return left;
  }

  #strike(victim: Victim, processId: number, underWay: readonly (Activity | 'starting')[]): void {
    process.kill(processId, 'SIGKILL');
    this.#outcome.kills[victim] += 1;
    for (const activity of underWay.length > 0 ? underWay : (['nothing'] as const)) this.#outcome.underWay[activity] += 1;
    this.#options.onKill?.(this.#killed);
  }

  async #someTime(): Promise<void> {
    await pause(this.#random() * this.#options.longestLifeMs);
  }
}

/** What an outcome says, in one line of JSON; times in milliseconds. */
export function summaryOf(usableMs: readonly number[]): { count: number; medianMs: number; p95Ms: number; longestMs: number } {
  const sorted = [...usableMs].sort((a, b) => a - b);
  const at = (share: number) => Math.round(sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0);
  return { count: sorted.length, medianMs: at(0.5), p95Ms: at(0.95), longestMs: at(1) };
}

/**
 * Three seconds on a machine that does nothing else. One that is busy takes longer for starts that nothing has disturbed,
 * too: then after a kill it may take twice as long as the longest of these.
 */
export function usableWithinMs(undisturbedMs: readonly number[]): number {
  return Math.max(3000, 2 * Math.max(...undisturbedMs));
}
