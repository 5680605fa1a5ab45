/**
 * What the desktop shows of jobs: a tray icon while one runs, its progress on the task bar, a notification when a long
 * one has ended, and no going to sleep in between. No names: a desktop keeps what it is shown.
 */
import { Menu, nativeImage, Notification, powerSaveBlocker, Tray } from 'electron';
import type { Job, ShellReply } from '../host/contract/shell.ts';
import { getMainWindow } from './windows.ts';
import { words } from './words/words.ts';

type Ended = Extract<ShellReply, { kind: 'job-ended' }>;

/** A job that took less than this was waited for. */
const longJobMs = 20_000;
const traySizePixels = 22;

export interface JobsOptions {
  iconPath: string;
  showWindow(): void;
  quit(): void;
}

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
    const notification = new Notification({ title: 'Longleaf', body: words().told[job.kind][outcome] });
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
        { label: words().tray.show, click: () => this.#options.showWindow() },
        { label: words().roles.quit, click: () => this.#options.quit() },
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
  const doing = words().tray.doing[kind];
  return fraction === null ? `${doing}…` : `${doing}: ${Math.floor(fraction * 100)} %`;
}
