/**
 * The host for as long as windows are open, over the moves of its data folder: while one is under way there is no host
 * and calls are refused; after it, or after it was undone, another host is opened and the windows connect again.
 */
import type { DataFolderMethod, DataFolderStatus, MovePlan, MoveTarget } from '../contract/dataFolder.ts';
import { dataFolderMethods } from '../contract/dataFolder.ts';
import { type MethodName, methods } from '../contract/methods.ts';
import { type HostConnection, serveContract } from '../contractServer.ts';
import { HostError, isCancelled, toFailure } from '../errors.ts';
import { HostEvents } from '../events.ts';
import type { Handlers } from '../handlers.ts';
import { type Host, type HostOptions, openHost } from '../host.ts';
import { leavingTo } from '../storage/movedFolder.ts';
import { pathsNotTaken, typedPath } from '../typedPath.ts';
import { jobsUnderWay } from './jobsUnderWay.ts';
import { deleteOldFolder, discardCopy, moveDataFolder, undoMove } from './moveDataFolder.ts';
import { planMove } from './moveTarget.ts';

export interface MovingHostOptions extends HostOptions {
  takesPaths: boolean;
}

/** Progress comes with every megabyte; windows want a few a second. */
const reportEveryMs = 200;

export class MovingHost {
  readonly #options: MovingHostOptions;
  readonly #connections = new Set<HostConnection>();
  readonly #listeners: ((host: Host) => void)[] = [];
  readonly #events = new HostEvents();
  readonly #handlers: Handlers;
  #host: Host | null;
  #begun = false;
  #move: DataFolderStatus['move'] = null;
  #last: DataFolderStatus['last'] = null;
  #abort: AbortController | null = null;
  #moving: Promise<void> | null = null;
  #reportedAtMs = 0;

  private constructor(options: MovingHostOptions, host: Host) {
    this.#options = options;
    this.#host = host;
    this.#handlers = this.#createHandlers();
    this.#listen(host);
  }

  static async open(options: MovingHostOptions): Promise<MovingHost> {
    const host = await openHost(options);
    return new MovingHost(options, host);
  }

  /** False while the folder moves. */
  get isOpen(): boolean {
    return this.#host !== null;
  }

  /** The host of now. Throws `data-folder-moving`. */
  current(): Host {
    if (this.#host) return this.#host;
    throw new HostError('data-folder-moving', 'The data folder is being moved.', 'Wait until it has moved, or stop the move.');
  }

  /** Called with every host, the one of now at once. */
  onHost(listener: (host: Host) => void): void {
    this.#listeners.push(listener);
    if (this.#host) listener(this.#host);
  }

  connect(connection: HostConnection): void {
    this.#connections.add(connection);
    connection.onClose(() => this.#connections.delete(connection));
    serveContract(connection, this.#handlers, this.#events);
  }

  begin(): void {
    this.#begun = true;
    const host = this.current();
    host.begin();
    // What a kill after the switch has left behind.
    void deleteOldFolder(host.folder);
  }

  /** As a host's. */
  async close(workerWithinMs?: number): Promise<void> {
    this.#abort?.abort();
    this.#begun = false;
    await this.#moving;
    await this.#host?.close(workerWithinMs);
  }

  #createHandlers(): Handlers {
    const own: Pick<Handlers, DataFolderMethod> = {
      'dataFolder.status': () => this.#status(),
      'dataFolder.plan': ({ to }) => this.#plan(to),
      'dataFolder.move': ({ to, stopJobs }) => this.#begin(to, stopJobs),
      'dataFolder.cancel': () => {
        this.#abort?.abort();
        return {};
      },
      'dataFolder.discard': async () => {
        await discardCopy(this.current().folder.root);
        return this.#status();
      },
    };
    const others = (Object.keys(methods) as MethodName[])
      .filter((name) => !(name in dataFolderMethods))
      .map((name) => [name, (params: unknown) => (this.current().handlers[name] as (params: unknown) => unknown)(params)]);
    return { ...(Object.fromEntries(others) as Handlers), ...own };
  }

  #status(): DataFolderStatus {
    const root = this.#host?.folder.root ?? null;
    const unfinished = root === null ? null : leavingTo(root);
    return { path: root, takesPaths: this.#options.takesPaths, move: this.#move, last: this.#last, unfinished };
  }

  async #plan(to: MoveTarget): Promise<MovePlan> {
    const host = this.current();
    return { ...(await planMove(host.folder.root, await this.#pathOf(host, to))), jobs: jobsUnderWay(host) };
  }

  async #begin(to: MoveTarget, stopJobs: boolean): Promise<DataFolderStatus> {
    const host = this.current();
    const { path, jobs } = await this.#plan(to);
    if (jobs > 0 && !stopJobs) throw new HostError('data-folder-busy', `Something is under way that uses the data folder (${jobs} in all).`, 'Wait for them, or let them stop until it has moved.');
    // Another window may have begun one meanwhile.
    this.current();
    this.#host = null;
    this.#moving = this.#run(host, path).finally(() => (this.#moving = null));
    return this.#status();
  }

  async #pathOf({ files, folder }: Host, to: MoveTarget): Promise<string> {
    if (to === 'unfinished') {
      const path = leavingTo(folder.root);
      if (path === null) throw new HostError('data-folder-target', 'No move was interrupted.', 'Choose a folder to move to.');
      return path;
    }
    if ('fileId' in to) return files.use(to.fileId, ({ path }) => Promise.resolve(path));
    if (!this.#options.takesPaths) throw pathsNotTaken();
    return typedPath(to.path);
  }

  async #run(host: Host, path: string): Promise<void> {
    this.#last = null;
    this.#abort = new AbortController();
    this.#report({ path, phase: 'stopping', doneBytes: 0, totalBytes: 0 });
    await host.close();
    try {
      await moveDataFolder(host.folder, path, {
        signal: this.#abort.signal,
        onProgress: (doneBytes, totalBytes) => this.#report({ path, phase: 'copying', doneBytes, totalBytes }),
      });
      this.#last = { path, failure: null };
    } catch (error) {
      if (!isCancelled(error)) this.#last = { path, failure: toFailure(error) };
    }
    this.#abort = null;
    const { totalBytes } = this.#move ?? { totalBytes: 0 };
    this.#report({ path, phase: 'opening', doneBytes: totalBytes, totalBytes });
    this.#host = await this.#openAgain(host, path);
    this.#move = null;
    this.#listen(this.#host);
    if (this.#begun) this.begin();
    // They connect again, and ask for everything anew.
    for (const connection of this.#connections) connection.close();
  }

  /** The note in the old folder leads to where everything is now. */
  async #openAgain({ folder }: Host, path: string): Promise<Host> {
    try {
      return await openHost(this.#options);
    } catch (error) {
      if (this.#last === null || this.#last.failure !== null) throw error;
      this.#last = { path, failure: toFailure(error) };
      await undoMove(folder);
      return openHost(this.#options);
    }
  }

  #listen(host: Host): void {
    host.events.subscribe((name, payload) => this.#events.emit(name, payload));
    for (const listener of this.#listeners) listener(host);
  }

  #report(move: NonNullable<DataFolderStatus['move']>): void {
    const samePhase = this.#move?.phase === move.phase;
    this.#move = move;
    if (samePhase && performance.now() - this.#reportedAtMs < reportEveryMs) return;
    this.#reportedAtMs = performance.now();
    this.#events.emit('dataFolder.changed', this.#status());
  }
}
