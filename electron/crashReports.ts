/** Crash reports stay on this machine: Electron's reporter writes them, nothing sends them, old ones are removed. */
import { readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { app, crashReporter } from 'electron';

/** A report holds memory of the process that crashed, which may hold text: it is not kept for long. */
const keptMs = 14 * 24 * 3_600_000;

/** Has to be called before the app is ready. */
export function keepCrashReportsHere(): void {
  crashReporter.start({ uploadToServer: false, compress: false });
}

/** Reports of earlier runs that nobody has asked for. */
export function removeOldCrashReports(nowMs = Date.now()): void {
  removeFilesOlderThan(app.getPath('crashDumps'), nowMs - keptMs);
}

export function removeFilesOlderThan(folder: string, timeMs: number): void {
  for (const path of filesIn(folder)) {
    try {
      if (path.endsWith('.dmp') && statSync(path).mtimeMs < timeMs) rmSync(path);
    } catch {
      // Another process has it, or has removed it: the next start tries again.
    }
  }
}

function filesIn(folder: string): string[] {
  try {
    return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
      const path = join(folder, entry.name);
      return entry.isDirectory() ? filesIn(path) : [path];
    });
  } catch {
    return [];
  }
}
