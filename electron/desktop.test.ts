/** What the desktop is shown and what is remembered, on an Electron that notes what it is told: crash reports, jobs, the window's place. */
import { existsSync, mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, expect, onTestFinished, test, vi } from 'vitest';
import type { Job } from '../host/contract/shell.ts';
import { keepCrashReportsHere, removeOldCrashReports } from './crashReports.ts';
import { Jobs } from './jobs.ts';
import { recallPlacement, rememberPlacement } from './windowState.ts';
import { speak } from './words/words.ts';

const desktop = vi.hoisted(() => ({
  crashDumps: '',
  languages: ['fr', 'en-GB'],
  reporter: null as unknown,
  trays: [] as { tip: string; gone: boolean }[],
  notifications: [] as { body: string; click: () => void }[],
  awake: new Set<number>(),
}));

vi.mock('electron', () => ({
  app: { getPath: () => desktop.crashDumps, getPreferredSystemLanguages: () => desktop.languages },
  crashReporter: { start: (options: unknown) => void (desktop.reporter = options) },
  Menu: { buildFromTemplate: (template: unknown) => template },
  nativeImage: { createFromPath: () => ({ resize: () => ({}) }) },
  nativeTheme: {},
  shell: {},
  Notification: class {
    static isSupported = () => true;
    readonly #options: { body: string };
    #click = () => {};
    constructor(options: { body: string }) {
      this.#options = options;
    }
    on(_event: 'click', listener: () => void): void {
      this.#click = listener;
    }
    show(): void {
      desktop.notifications.push({ body: this.#options.body, click: () => this.#click() });
    }
  },
  powerSaveBlocker: {
    start: () => {
      desktop.awake.add(desktop.awake.size);
      return desktop.awake.size - 1;
    },
    stop: (id: number) => desktop.awake.delete(id),
  },
  screen: { getAllDisplays: () => [{ workArea: { x: 0, y: 0, width: 1920, height: 1080 } }] },
  Tray: class {
    readonly #entry = { tip: '', gone: false };
    constructor() {
      desktop.trays.push(this.#entry);
    }
    setToolTip(tip: string): void {
      this.#entry.tip = tip;
    }
    setContextMenu(): void {}
    on(): void {}
    destroy(): void {
      this.#entry.gone = true;
    }
  },
}));

beforeEach(() => {
  desktop.trays.length = 0;
  desktop.notifications.length = 0;
  desktop.awake.clear();
});

function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'longleaf-desktop-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  return folder;
}

test('crash reports are sent nowhere, and go after two weeks', () => {
  keepCrashReportsHere();
  expect(desktop.reporter).toEqual({ uploadToServer: false, compress: false });
  desktop.crashDumps = temporaryFolder();
  const folder = join(desktop.crashDumps, 'completed');
  mkdirSync(folder);
  const day = 24 * 3600;
  const write = (name: string, ageSeconds: number) => {
    const path = join(folder, name);
    writeFileSync(path, '');
    const seconds = Date.now() / 1000 - ageSeconds;
    utimesSync(path, seconds, seconds);
    return path;
  };
  const [old, recent, other] = [write('old.dmp', 15 * day), write('recent.dmp', 13 * day), write('settings.dat', 99 * day)];
  removeOldCrashReports();
  expect([old, recent, other].map((path) => existsSync(path))).toEqual([false, true, true]);
  desktop.crashDumps = join(folder, 'gone');
  removeOldCrashReports();
});

test('while jobs run there is one tray icon that tells how far they are, without names, and the machine stays awake', () => {
  const jobs = new Jobs({ iconPath: 'icon.png', showWindow: () => {}, quit: () => {} });
  const job = (kind: Job['kind'], fraction: number | null): Job => ({ kind, fraction }) as Job;
  jobs.show([job('download', 0.257), job('answer', null)]);
  jobs.show([job('download', 0.5)]);
  expect(desktop.trays).toEqual([{ tip: 'Longleaf\nDownloading a model: 50 %', gone: false }]);
  expect(desktop.awake.size).toBe(1);
  jobs.show([]);
  expect(desktop.trays[0]?.gone).toBe(true);
  expect(desktop.awake.size).toBe(0);
});

test('the end of a long job is told, that of a short or stopped one is not; the notification shows the window', () => {
  let shown = 0;
  const jobs = new Jobs({ iconPath: 'icon.png', showWindow: () => (shown += 1), quit: () => {} });
  const job = { kind: 'reading', fraction: 1 } as Job;
  jobs.tellEnd({ kind: 'job-ended', job, outcome: 'done', durationMs: 5000 });
  jobs.tellEnd({ kind: 'job-ended', job, outcome: 'stopped', durationMs: 60_000 });
  expect(desktop.notifications).toEqual([]);
  jobs.tellEnd({ kind: 'job-ended', job, outcome: 'done', durationMs: 60_000 });
  jobs.tellEnd({ kind: 'job-ended', job, outcome: 'failed', durationMs: 60_000 });
  expect(desktop.notifications.map(({ body }) => body)).toEqual(['A document has been read.', 'A document could not be read to its end.']);
  desktop.notifications[0]?.click();
  expect(shown).toBe(1);
});

test('the desktop speaks the language of the window, and until it knows that the first of the system’s that it can', () => {
  const jobs = new Jobs({ iconPath: 'icon.png', showWindow: () => {}, quit: () => {} });
  const tell = () => jobs.tellEnd({ kind: 'job-ended', job: { kind: 'answer', fraction: null } as Job, outcome: 'done', durationMs: 60_000 });
  desktop.languages = ['fr', 'ja-JP', 'de'];
  tell();
  speak('de');
  tell();
  jobs.show([{ kind: 'download', fraction: 0.5 } as Job]);
  jobs.show([]);
  expect(desktop.notifications.map(({ body }) => body)).toEqual(['回答ができました。', 'Eine Antwort ist fertig.']);
  expect(desktop.trays).toEqual([{ tip: 'Longleaf\nLädt ein Modell: 50 %', gone: true }]);
});

test('the window opens where it was, unless its screen is gone or what was saved is not a place', () => {
  const file = join(temporaryFolder(), 'deep', 'window.json');
  const first = { bounds: { width: 1280, height: 860 }, maximized: false };
  expect(recallPlacement(file)).toEqual(first);
  const closeAt = (bounds: object, maximized: boolean) => {
    let close = () => {};
    rememberPlacement({ on: (_event: string, listener: () => void) => (close = listener), getNormalBounds: () => bounds, isMaximized: () => maximized } as never, file);
    close();
  };
  closeAt({ x: 100, y: 50, width: 900, height: 700 }, true);
  expect(recallPlacement(file)).toEqual({ bounds: { x: 100, y: 50, width: 900, height: 700 }, maximized: true });
  closeAt({ x: 4000, y: 50, width: 900, height: 700 }, false);
  expect(recallPlacement(file)).toEqual({ bounds: { width: 900, height: 700 }, maximized: false });
  writeFileSync(file, '{"x":0,"y":0,"width":1,"height":1e9}');
  expect(recallPlacement(file)).toEqual(first);
});
