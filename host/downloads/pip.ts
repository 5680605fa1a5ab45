import { spawn } from 'node:child_process';

const candidates: readonly (readonly string[])[] = [
  ['pip3'],
  ['python3', '-m', 'pip'],
  ['pip'],
  ['python', '-m', 'pip'],
  ['py', '-m', 'pip'],
];

/** The first pip that answers, as a command line; undefined when there is none. */
export async function findPip(): Promise<readonly string[] | undefined> {
  for (const candidate of candidates) if (await answers(candidate)) return candidate;
  return undefined;
}

function answers([command = '', ...leading]: readonly string[]): Promise<boolean> {
  return new Promise((resolve) => {
    const child = spawn(command, [...leading, '--version'], { stdio: 'ignore' });
    child.once('error', () => resolve(false));
    child.once('close', (code) => resolve(code === 0));
  });
}
