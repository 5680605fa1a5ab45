/**
 * What the desktop shows of jobs: a tray icon while one runs, its progress on the task bar, a notification when a long
 * one has ended, and no going to sleep in between. No names: a desktop keeps what it is shown.
 */
import { Menu, nativeImage, Notification, powerSaveBlocker, Tray } from 'electron';
import type { Job, ShellReply } from '../host/contract/shell.ts';
import { getMainWindow } from './windows.ts';

type Ended = Extract<ShellReply, { kind: 'job-ended' }>;

/** A job that took less than this was waited for. */
const longJobMs = 20_000;
const traySizePixels = 22;

export interface JobsOptions {
  iconPath: string;
  showWindow(): void;
  quit(): void;
}

const doing: Record<Job['kind'], string> = { answer: 'Answering', reading: 'Reading a document', download: 'Downloading a model' };

const told: Record<Job['kind'], Record<'done' | 'failed', string>> = {
  answer: { done: 'An answer is ready.', failed: 'An answer could not be finished.' },
  reading: { done: 'A document has been read.', failed: 'A document could not be read to its end.' },
  download: { done: 'A model has been downloaded.', failed: 'A model could not be downloaded.' },
};

export class Jobs {
  readonly #options: JobsOptions;
  #running: readonly Job[] = [];
  #tray: Tray | undefined;
  #blockerId: number | undefined;

  constructor(options: JobsOptions) {
    this.#options = options;
  }

  get any(): boolean {
    return this.#running.length > 0;
  }

  /** Whether somebody waits for an answer that is being written. */
  get answering(): boolean {
    return this.#running.some(({ kind }) => kind === 'answer');
  }

  show(jobs: readonly Job[]): void {
    this.#running = jobs;
    this.#keepAwake(jobs.length > 0);
    const known = jobs.flatMap(({ fraction }) => fraction ?? []);
    // 2 is "busy, nobody knows how far"; below 0 there is no bar.
    getMainWindow()?.setProgressBar(jobs.length === 0 ? -1 : known.length === 0 ? 2 : Math.min(...known));
    if (jobs.length > 0) this.#showTray();
    else this.#hideTray();
  }

  tellEnd({ job, outcome, durationMs }: Ended): void {
    if (outcome === 'stopped' || durationMs < longJobMs || getMainWindow()?.isFocused() || !Notification.isSupported()) return;
    const notification = new Notification({ title: 'Longleaf', body: told[job.kind][outcome] });
    notification.on('click', () => this.#options.showWindow());
    notification.show();
  }

  #keepAwake(awake: boolean): void {
    if (awake) this.#blockerId ??= powerSaveBlocker.start('prevent-app-suspension');
    else if (this.#blockerId !== undefined) {
      powerSaveBlocker.stop(this.#blockerId);
      this.#blockerId = undefined;
    }
  }

  #showTray(): void {
    this.#tray ??= this.#makeTray();
    const lines = this.#running.map(describeJob);
    this.#tray.setToolTip(['Longleaf', ...lines].join('\n'));
    this.#tray.setContextMenu(
      Menu.buildFromTemplate([
        ...lines.map((label) => ({ label, enabled: false })),
        { type: 'separator' },
        { label: 'Show Longleaf', click: () => this.#options.showWindow() },
        { label: 'Quit Longleaf', click: () => this.#options.quit() },
      ]),
    );
  }

  #makeTray(): Tray {
    const tray = new Tray(nativeImage.createFromPath(this.#options.iconPath).resize({ width: traySizePixels }));
    tray.on('click', () => this.#options.showWindow());
    return tray;
  }

  #hideTray(): void {
    this.#tray?.destroy();
    this.#tray = undefined;
  }
}

function describeJob({ kind, fraction }: Job): string {
  return fraction === null ? `${doing[kind]}…` : `${doing[kind]}: ${Math.floor(fraction * 100)} %`;
}
