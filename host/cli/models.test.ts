/** `longleaf models` against a hub on this machine. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { tinyModel } from '../../engine/testing/tinyModel.ts';
import { contentOf } from '../testing/hub/hubContent.ts';
import { startModelHub } from '../testing/hub/modelHub.ts';
import { scriptedWorkerPath } from '../testing/scriptedWorkerPath.ts';
import { temporaryFolder } from '../testing/temporaryFolder.ts';
import { runCommandLine } from './runCommandLine.ts';

const names = ['Small-Q8_0.gguf', 'Small-F16.gguf'];

async function open() {
  const files = Object.fromEntries(names.map((name, seed) => [name, contentOf(tinyModel({ architecture: 'llama', layers: 1, seed: seed + 1, types: seed === 0 ? ['Q8_0'] : ['F16'] }))]));
  const hub = await startModelHub({ repositories: [{ id: 'someone/Small-GGUF', licence: 'mit', files, gguf: { total: 100_000, architecture: 'llama', context_length: 1024 } }] });
  onTestFinished(() => hub.close());
  setVariable('HF_ENDPOINT', hub.endpoint);
  setVariable('LONGLEAF_WORKER', scriptedWorkerPath);
  const data = temporaryFolder();
  const run = async (...args: string[]) => {
    let out = '';
    let said = '';
    const streams = { stdout: { write: (text: string) => (out += text) }, stderr: { write: (text: string) => (said += text) } };
    const status = await runCommandLine([...args, '--data', data], streams);
    return { status, out, said, last: () => JSON.parse(out.trim().split('\n').at(-1) ?? '') as Record<string, unknown> };
  };
  return { hub, run };
}

function setVariable(name: string, value: string): void {
  const before = process.env[name];
  process.env[name] = value;
  onTestFinished(() => {
    if (before === undefined) delete process.env[name];
    else process.env[name] = before;
  });
}

test('search finds a repository, its files come with verdicts, and one of them is fetched', async () => {
  const { hub, run } = await open();
  const found = await run('models', 'search', 'small', '--licence', 'mit');
  expect(found).toMatchObject({ status: 0, out: 'someone/Small-GGUF\n    llama, 100,000 parameters, 1,024 tokens, mit, 0 downloads\n' });
  const files = await run('models', 'search', 'someone/Small-GGUF', '--context', '512', '--json');
  expect(files.last()).toMatchObject({ event: 'done', files: [{ label: 'Q8_0', verdict: { level: 'fits', contextTokens: 512 } }, { label: 'F16', verdict: { level: 'fits' } }] });

  const several = await run('models', 'get', 'someone/Small-GGUF');
  expect(several.status).toBe(2);
  expect(several.said).toContain('someone/Small-GGUF has several files.');
  expect(several.said).toMatch(/someone\/Small-GGUF:Q8_0 \(.*, fits\), someone\/Small-GGUF:F16 \(.*, fits\)/);
  const got = await run('models', 'get', 'someone/Small-GGUF:q8_0', '--json');
  expect(got).toMatchObject({ status: 0 });
  expect(got.last()).toMatchObject({ event: 'done', model: { id: 'small-q8_0', licence: { name: 'mit' }, state: 'ready' } });
  const byAddress = await run('models', 'get', `${hub.endpoint}/someone/Small-GGUF/blob/main/Small-F16.gguf`);
  expect(byAddress).toMatchObject({ status: 0 });
  expect((await run('models', 'list')).out).toContain('small-f16\n');
}, 60_000);

test('a folder is imported, listed, and chosen for downloads', async () => {
  const { run } = await open();
  const folder = temporaryFolder();
  writeFileSync(join(folder, 'there.gguf'), tinyModel({ architecture: 'llama', layers: 1, seed: 7 }));
  writeFileSync(join(folder, 'broken.gguf'), 'hello');
  const added = await run('models', 'folders', 'add', folder);
  expect(added).toMatchObject({ status: 0, out: 'there\n' });
  expect(added.said).toContain('broken.gguf is not a GGUF file');
  expect((await run('models', 'folders', 'receive', folder)).out).toContain('downloads go here');
  expect((await run('models', 'get', 'someone/Small-GGUF:Q8_0', '--json')).last()).toMatchObject({ model: { place: folder, owned: true } });
  expect((await run('models', 'folders', 'remove', folder)).status).toBe(0);
  expect((await run('models', 'list')).out).not.toContain('there\n');
}, 60_000);
