import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { pathToFileURL } from 'node:url';
import { expect, test } from 'vitest';
import { lavapipeCommand } from './adapterAdvice.mjs';
import { childrenProcessorSeconds, run } from './processes.mjs';

const node = (code: string, options = {}) => run(process.execPath, ['-e', code], options);

test('collects what a command says, and its status', async () => {
  const result = await node('console.log("out"); console.error("err"); process.exit(3)');
  expect(result).toEqual({ status: 3, stdout: 'out\n', stderr: 'err\n', timedOut: false });
});

test('gives a command its input, and survives one that does not read it', async () => {
  const input = Buffer.alloc(1 << 20, 'a');
  expect(await node('let n = 0; process.stdin.on("data", (d) => (n += d.length)).on("end", () => console.log(n))', { input })).toMatchObject({
    status: 0,
    stdout: `${input.length}\n`,
  });
  expect(await node('process.exit(0)', { input })).toMatchObject({ status: 0 });
});

test('a command that cannot be started, and one that takes too long, have no status', async () => {
  expect(await run('longleaf-no-such-command', [])).toMatchObject({ status: null, timedOut: false });
  expect(await node('setInterval(() => {}, 1000)', { timeoutMs: 300 })).toMatchObject({ status: null, timedOut: true });
});

test.skipIf(process.platform === 'win32').each(['SIGINT', 'SIGTERM'] as const)('whoever hands over the terminal hears of %s, and can begin nothing else', async (signal) => {
  const module = pathToFileURL(`${import.meta.dirname}/processes.mjs`).href;
  // Says when it is there, and ends at the signal as commands do; Ctrl-C would reach both processes.
  const command = `process.on(${JSON.stringify(signal)}, () => process.exit(3)); console.log(process.pid); setInterval(() => {}, 1000)`;
  const code = `const { handOver, stoppedBy } = await import(${JSON.stringify(module)});
    const status = await handOver(process.execPath, ['-e', ${JSON.stringify(command)}]);
    console.log('ended', status, stoppedBy());`;
  const parent = spawn(process.execPath, ['--input-type=module', '-e', code], { stdio: ['ignore', 'pipe', 'inherit'] });
  const closed = once(parent, 'close');
  let said = '';
  parent.stdout.setEncoding('utf8').on('data', (text: string) => (said += text));
  const [first] = await once(parent.stdout, 'data');
  parent.kill(signal);
  if (signal === 'SIGINT') process.kill(Number(first), signal);
  await closed;
  expect(said).toContain(`ended 3 ${signal}\n`);
});

test.each([
  [{ ID: 'debian', VERSION_ID: '12' }, /bookworm-backports/],
  [{ ID: 'debian', VERSION_ID: '13' }, /^apt install mesa-vulkan-drivers/],
  [{ ID: 'linuxmint', ID_LIKE: 'ubuntu debian' }, /^apt install/],
  [{ ID: 'fedora' }, /^dnf install/],
  [{ ID: 'rocky', ID_LIKE: 'rhel centos fedora' }, /^dnf install/],
  [{ ID: 'arch' }, /^pacman/],
  [{ ID: 'opensuse-leap', ID_LIKE: 'suse opensuse' }, /^zypper/],
  [{}, /the package that holds it/],
])('the advice for %o names what that system has', (release, expected) => {
  expect(lavapipeCommand(release)).toMatch(expected);
});

test.runIf(process.platform === 'linux')('the processor time of children that have ended is known', async () => {
  const before = childrenProcessorSeconds()!;
  await node('while (process.cpuUsage().user < 200_000);');
  expect(childrenProcessorSeconds()! - before).toBeGreaterThan(0.15);
});
