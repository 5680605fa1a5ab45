/** What befalls a machine, in earnest: disks that fill up or are read-only, and machines that are not this one. */
import { spawnSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, statSync, writeFileSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from '@playwright/test';
import { systemErrorCode } from '../../host/errors.ts';

export interface SmallDisk {
  readonly path: string;
  /** Somebody else takes all the room there is. */
  fill(): void;
  /** Some of it is free again. */
  clear(): void;
  makeReadOnly(): void;
  makeWritable(): void;
  remove(): void;
}

/** A file system of its own. @throws where this user may make none. */
export function mountSmallDisk(megabytes: number): SmallDisk {
  const path = mkdtempSync(join(tmpdir(), 'longleaf-disk-'));
  mount(['-t', 'tmpfs', '-o', `size=${megabytes}m,mode=700`, 'longleaf-test', path]);
  const ballast = join(path, 'ballast');
  return {
    path,
    fill: () => writeUntilFull(ballast),
    clear: () => rmSync(ballast),
    makeReadOnly: () => mount(['-o', 'remount,ro', path]),
    makeWritable: () => mount(['-o', 'remount,rw', path]),
    remove: () => {
      spawnSync('umount', ['--lazy', path]);
      rmSync(path, { recursive: true, force: true });
    },
  };
}

/** Others may write meanwhile: nobody knows how much it takes. */
function writeUntilFull(path: string): void {
  const file = openSync(path, 'w');
  for (const bytes of [2 ** 16, 2 ** 12]) {
    try {
      for (;;) writeSync(file, Buffer.alloc(bytes));
    } catch (error) {
      if (systemErrorCode(error) !== 'ENOSPC') throw error;
    }
  }
  closeSync(file);
}

function mount(args: readonly string[]): void {
  const { status, stderr, error } = spawnSync('mount', args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`mount failed: ${stderr?.trim() || error?.message}`);
}

/** Skips the test where this user cannot do such things to a machine, and prints why. */
export function needsMounts(): void {
  const obstacle = obstacleToMounts();
  if (obstacle === null) return;
  process.stderr.write(`“${test.info().title}” is not tested here: ${obstacle}.\n`);
  test.skip(true, obstacle);
}

function obstacleToMounts(): string | null {
  if (process.platform !== 'linux') return 'file systems in memory are of Linux';
  if (process.getuid?.() !== 0) return 'only root may mount a file system';
  try {
    mountSmallDisk(1).remove();
    return null;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/** What starts a program on a machine that has so much memory, as far as the program can find out. */
export function onMachineOf(gigabytes: number): { command: string[]; remove(): void } {
  const folder = mkdtempSync(join(tmpdir(), 'longleaf-machine-'));
  const file = join(folder, 'meminfo');
  writeFileSync(file, readFileSync('/proc/meminfo', 'utf8').replace(/^MemTotal:.*$/m, `MemTotal: ${Math.round((gigabytes * 1e9) / 1024)} kB`));
  // Nobody outside sees that file: the mount is in a namespace of the program's own.
  const command = ['unshare', '--mount', 'sh', '-c', 'mount --bind "$0" /proc/meminfo && exec "$@"', file];
  return { command, remove: () => rmSync(folder, { recursive: true }) };
}

const pageBytes = 4096;

/** Overwrites everything in a database behind its first pages, which say what kind of file it is. */
export function damage(database: string): void {
  const file = openSync(database, 'r+');
  for (let offset = 2 * pageBytes; offset < statSync(database).size; offset += pageBytes) writeSync(file, Buffer.alloc(pageBytes, 'damaged '), 0, pageBytes, offset);
  closeSync(file);
}
