/** A real file system of a few kilobytes, for what happens when a disk is full. Only root may mount one. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished, type TestContext } from 'vitest';

/** Its folder. Where this user may not mount one the test is skipped, with the reason printed. */
export function smallFileSystem(context: TestContext, kilobytes: number): string {
  const mounted = mount(kilobytes);
  if ('folder' in mounted) return mounted.folder;
  process.stderr.write(`“${context.task.name}” is not tested here: ${mounted.obstacle}\n`);
  return context.skip(mounted.obstacle);
}

function mount(kilobytes: number): { folder: string } | { obstacle: string } {
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
