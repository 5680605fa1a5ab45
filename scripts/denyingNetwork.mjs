/**
 * A network namespace in which there is this machine and nothing else: whatever runs in it cannot reach anything beyond,
 * and Linux counts what tried to. Making one takes root, on Linux.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { rootFolder } from './paths.mjs';
import { run } from './processes.mjs';

/**
 * The command that runs `command` in such a namespace, or why there is none.
 * @param {string} runtimeNode
 * @param {string[]} command
 * @returns {Promise<{command: string[]} | {obstacle: string}>}
 */
export async function inDenyingNetwork(runtimeNode, command) {
  if (process.platform !== 'linux') return { obstacle: 'network namespaces are of Linux' };
  if (process.getuid?.() !== 0) return { obstacle: 'only root may make a network namespace' };
  const inside = [runtimeNode, join(rootFolder, 'scripts', 'runInDenyingNetwork.mjs')];
  const { status, stderr } = await run('unshare', ['--net', ...inside, runtimeNode, '--eval', '0']);
  if (status !== 0) return { obstacle: `a network namespace could not be made: ${stderr.trim().split('\n').at(-1)}` };
  return { command: ['unshare', '--net', ...inside, ...command] };
}

/** How many packets had no way out so far; of the namespace that this process is in. */
export function deniedPackets() {
  return columnOf('/proc/net/snmp', 'OutNoRoutes') + lineOf('/proc/net/snmp6', 'Ip6OutNoRoutes');
}

/**
 * Names in one line, numbers in the next.
 * @param {string} path
 * @param {string} name
 */
function columnOf(path, name) {
  const [names = [], numbers = []] = readFileSync(path, 'utf8')
    .split('\n')
    .filter((line) => line.startsWith('Ip:'))
    .map((line) => line.split(' '));
  return Number(numbers[names.indexOf(name)]);
}

/**
 * @param {string} path
 * @param {string} name
 */
function lineOf(path, name) {
  const line = readFileSync(path, 'utf8')
    .split('\n')
    .find((candidate) => candidate.startsWith(name));
  return Number(line?.trim().split(/\s+/).at(-1) ?? 0);
}
