/** The processes that a process started. Linux only, like everything that looks into /proc. */
import { readFileSync, readdirSync } from 'node:fs';

export function childrenOf(parentId: number): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && Number(statFields(name)?.[1]) === parentId)
    .map(Number);
}

/** And those that they started. */
export function descendantsOf(parentId: number): number[] {
  return childrenOf(parentId).flatMap((child) => [child, ...descendantsOf(child)]);
}

/** False also for one that is over and only waits to be noticed. */
export function isAlive(processId: number): boolean {
  const state = statFields(String(processId))?.[0];
  return state !== undefined && state !== 'Z';
}

export function commandOf(processId: number): string {
  return (readProcessFile(String(processId), 'cmdline') ?? '').replaceAll('\0', ' ');
}

/** The fields after the name, which may itself hold spaces and brackets. */
function statFields(name: string): string[] | undefined {
  const stat = readProcessFile(name, 'stat');
  return stat?.slice(stat.lastIndexOf(')') + 2).split(' ');
}

function readProcessFile(name: string, file: string): string | undefined {
  try {
    return readFileSync(`/proc/${name}/${file}`, 'utf8');
  } catch {
    // It ended meanwhile.
    return undefined;
  }
}
