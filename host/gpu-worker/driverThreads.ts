/**
 * Gives each thread on which a software driver computes a processor of its own. Linux at times leaves two of them on one
 * processor for milliseconds while another is idle, and members of a team that wait for each other in a loop wait as long:
 * steps of 25 ms took 200. No driver says which of its threads compute: those that do while something is computed.
 */
import { execFile } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { promisify } from 'node:util';

const taskFolder = '/proc/self/task';
/** Of the time that is computed; other threads of a driver do a few system calls meanwhile. */
const busyNs = 1_000_000;
const attempts = 5;

/** The threads of this process; none where the system does not list them. */
export function threadsNow(): number[] {
  try {
    return readdirSync(taskFolder).map(Number);
  } catch {
    return [];
  }
}

/**
 * Resolves to how many of the threads compute and have a processor of their own now: 0 where that cannot be known or done,
 * as on systems other than Linux, and where there are more of them than processors.
 * @param threads of the driver
 * @param compute keeps all that compute busy, for some milliseconds each at an effort of 1
 */
export async function placeThreads(threads: readonly number[], compute: (effort: number) => Promise<void>): Promise<number> {
  const processors = allowedProcessors();
  if (threads.length < 2 || processors.length < 2) return 0;
  // The first time compiles, on threads of its own.
  await compute(1);
  for (let attempt = 0; attempt < attempts; attempt++) {
    const before = threads.map(computedNs);
    // Where two are left on one processor the first may have done it all before the second one begins.
    await compute(2 ** attempt);
    const busy = threads.filter((thread, i) => computedNs(thread) - before[i] > busyNs);
    if (busy.length < 2 || busy.length > processors.length) continue;
    const placed = await Promise.all(busy.map((thread, i) => place(thread, processors[i])));
    return placed.filter(Boolean).length;
  }
  return 0;
}

/** Processors that this process may use. */
function allowedProcessors(): number[] {
  const list = /^Cpus_allowed_list:\s*(\S+)/m.exec(textOf('/proc/self/status'))?.[1] ?? '';
  return list.split(',').flatMap((range) => {
    const [first, last = first] = range.split('-').map(Number);
    return range === '' ? [] : Array.from({ length: last - first + 1 }, (_, i) => first + i);
  });
}

/** Processor time of a thread so far; 0 when it is gone, or where the kernel does not keep it. */
function computedNs(thread: number): number {
  return Number(textOf(`${taskFolder}/${thread}/schedstat`).split(' ', 1)[0]);
}

/** Whether the system’s own tool could do it; it may be missing. */
async function place(thread: number, processor: number): Promise<boolean> {
  try {
    await promisify(execFile)('taskset', ['--cpu-list', '--pid', String(processor), String(thread)]);
    return true;
  } catch {
    return false;
  }
}

function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
