/** Looks at the processes that Longleaf started. Linux only, like the machines the e2e tests run on. */
import { readFileSync, readdirSync } from 'node:fs';

export interface ProcessEntry {
  processId: number;
  command: string;
}

export function childProcesses(parentId: number): ProcessEntry[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && parentOf(name) === parentId)
    .map((name) => ({ processId: Number(name), command: commandOf(name) }));
}

export function isRunning(processId: number): boolean {
  return parentOf(String(processId)) !== undefined && stateOf(String(processId)) !== 'Z';
}

export function gpuWorkerOf(hostProcessId: number): number {
  const worker = childProcesses(hostProcessId).find(({ command }) => command.includes('gpu-worker'));
  if (!worker) throw new Error('The host has no GPU worker.');
  return worker.processId;
}

function parentOf(name: string): number | undefined {
  const fields = statFields(name);
  return fields && Number(fields[1]);
}

function stateOf(name: string): string | undefined {
  return statFields(name)?.[0];
}

/** The fields after the name, which may itself hold spaces and brackets. */
function statFields(name: string): string[] | undefined {
  const stat = readProcessFile(name, 'stat');
  return stat?.slice(stat.lastIndexOf(')') + 2).split(' ');
}

function commandOf(name: string): string {
  return (readProcessFile(name, 'cmdline') ?? '').replaceAll('\0', ' ');
}

function readProcessFile(name: string, file: string): string | undefined {
  try {
    return readFileSync(`/proc/${name}/${file}`, 'utf8');
  } catch {
    // It ended meanwhile.
    return undefined;
  }
}
