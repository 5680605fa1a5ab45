/** A real file system of a few kilobytes, for what happens when a disk is full. Only root may mount one. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';

/** Its folder, or why there is none. */
export function mountSmallFileSystem(kilobytes: number): { folder: string } | { obstacle: string } {
  if (process.platform !== 'linux') return { obstacle: 'a file system in memory can be mounted on Linux only' };
  if (process.getuid?.() !== 0) return { obstacle: 'only root may mount a file system' };
  const folder = mkdtempSync(join(tmpdir(), 'longleaf-small-'));
  const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${kilobytes}k,mode=700`, 'longleaf-test', folder], { encoding: 'utf8' });
  if (mounted.status !== 0) {
    rmdirSync(folder);
    return { obstacle: `mount failed: ${mounted.stderr.trim() || mounted.error?.message}` };
  }
  onTestFinished(() => {
    // Lazily: the database of the test may be closed after this.
    spawnSync('umount', ['--lazy', folder]);
    rmdirSync(folder);
  });
  return { folder };
}
