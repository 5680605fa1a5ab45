/** Child processes: run one to its end, or hand the terminal over to one; and what all of them have cost. */
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';

/**
 * @typedef {object} RunOptions
 * @property {string} [cwd]
 * @property {NodeJS.ProcessEnv} [env]
 * @property {number} [timeoutMs] after which the process is killed and the status is null
 * @property {Buffer} [input] written to its standard input
 * @property {boolean} [show] its output goes to our stderr instead of being collected
 */

/**
 * Runs a command to its end. Never rejects: a command that cannot be started has status null.
 * @param {string} command
 * @param {string[]} args
 * @param {RunOptions} [options]
 * @returns {Promise<{status: number | null, stdout: string, stderr: string, timedOut: boolean}>}
 */
export function run(command, args, { cwd, env, timeoutMs, input, show = false } = {}) {
  return new Promise((resolve) => {
    const output = show ? 2 : 'pipe';
    const child = spawn(command, args, { cwd, env, stdio: [input ? 'pipe' : 'ignore', output, output] });
    let stdout = '';
    let stderr = '';
    let timedOut = false;
    child.stdout?.setEncoding('utf8').on('data', (text) => (stdout += text));
    child.stderr?.setEncoding('utf8').on('data', (text) => (stderr += text));
    // A command that ends before it has read its input breaks the pipe; its status says why.
    child.stdin?.on('error', () => {});
    child.stdin?.end(input);
    const timer = timeoutMs
      ? setTimeout(() => {
          timedOut = true;
          child.kill('SIGKILL');
        }, timeoutMs)
      : undefined;
    child.once('error', (error) => {
      clearTimeout(timer);
      resolve({ status: null, stdout, stderr: stderr + error.message, timedOut });
    });
    child.once('close', (status) => {
      clearTimeout(timer);
      resolve({ status, stdout, stderr, timedOut });
    });
  });
}

/** @type {NodeJS.Signals | undefined} */
let stopSignal;

/** The signal that asked us to end while a command had the terminal: nothing else should be begun. */
export function stoppedBy() {
  return stopSignal;
}

/**
 * Gives a command our stdin, stdout, stderr and signals; resolves to the status to exit with.
 * @param {string} command
 * @param {string[]} args
 * @param {{cwd?: string, env?: NodeJS.ProcessEnv}} [options]
 * @returns {Promise<number>}
 */
export function handOver(command, args, { cwd, env } = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd, env, stdio: 'inherit' });
    // Ctrl-C reaches the whole process group by itself: we only have to outlive the child.
    const note = () => {
      stopSignal = 'SIGINT';
    };
    const forward = (/** @type {NodeJS.Signals} */ signal) => {
      stopSignal = signal;
      child.kill(signal);
    };
    process.on('SIGINT', note).on('SIGTERM', forward).on('SIGHUP', forward);
    const finish = () => process.off('SIGINT', note).off('SIGTERM', forward).off('SIGHUP', forward);
    child.once('error', (error) => {
      finish();
      reject(error);
    });
    child.once('exit', (status, signal) => {
      finish();
      resolve(status ?? (signal === 'SIGINT' ? 130 : 1));
    });
  });
}

/** Linux counts processor time in hundredths of a second, whatever the kernel. */
const ticksPerSecond = 100;

/** Processor time of all children that have ended, and of theirs; undefined where only Linux tells it. */
export function childrenProcessorSeconds() {
  if (process.platform !== 'linux') return undefined;
  const stat = readFileSync('/proc/self/stat', 'utf8');
  // The name of the program, in brackets, may hold anything; cutime and cstime are the 14th and 15th field after it.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[13]) + Number(fields[14])) / ticksPerSecond;
}
