/** `npm start --silent -- COMMAND`: other programs rely on its streams and its exit status. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, test } from '@playwright/test';
import { repositoryFolder, required, temporaryFolder } from './harness/runningApp.ts';

const model = () => join(required('LONGLEAF_TEST_MODELS'), 'SmolLM2-135M-Instruct.Q4_1.gguf');

function start(args: string[], input = ''): { status: number | null; stdout: string; stderr: string } {
  const data = temporaryFolder();
  try {
    return spawnSync('npm', ['start', '--silent', '--', ...args], {
      cwd: repositoryFolder,
      env: { ...process.env, LONGLEAF_DATA: data.path },
      encoding: 'utf8',
      input,
    });
  } finally {
    data.remove();
  }
}

test('stdout holds nothing but the command’s own output', () => {
  expect(start(['--version'])).toEqual(expect.objectContaining({ status: 0, stdout: expect.stringMatching(/^longleaf \d+\.\d+\.\d+\n$/), stderr: '' }));
});

test('wrong use ends with status 2 and one line on stderr', () => {
  const { status, stdout, stderr } = start(['reed', 'book.txt']);
  expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
  expect(stderr).toMatch(/^longleaf: There is no command “reed”\. .*\n$/);
});

test('paths are relative to where the person is', () => {
  const { status, stdout } = start(['tokens', join('e2e', 'data', 'middlemarch-excerpt.txt'), '--model', model(), '--json']);
  expect(status).toBe(0);
  const { tokens } = JSON.parse(stdout) as { tokens: number[] };
  expect(tokens.length).toBeGreaterThan(500);
});

test('a document is asked about by its path', () => {
  test.setTimeout(300_000);
  const { status, stdout } = start(['ask', join('e2e', 'data', 'lighthouse.txt'), 'What is the password to the library?', '--max-tokens', '16', '--model', model()]);
  expect(status).toBe(0);
  expect(stdout).toContain('thistle');
});

test('stdin reaches the command, and the answer stdout', () => {
  test.setTimeout(300_000);
  const { status, stdout } = start(['complete', '--raw', '--prompt-file', '-', '--max-tokens', '4', '--model', model()], 'One, two, three, four,');
  expect(status).toBe(0);
  expect(stdout).toContain('five');
});
