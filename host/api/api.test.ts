/** The API through OpenAI's own client, with a scripted worker: shapes, access, refusals, the end of a request. */
import { request as httpRequest } from 'node:http';
import { statSync } from 'node:fs';
import { join } from 'node:path';
import OpenAI from 'openai';
import { expect, test } from 'vitest';
import type { Host } from '../host.ts';
import { eventually } from '../testing/eventually.ts';
import { openTestHostWithModel } from '../testing/openTestHost.ts';

async function openApi(options: Parameters<typeof openTestHostWithModel>[0] = {}) {
  const host = await openTestHostWithModel(options);
  await host.api.follow({ enabled: true, port: 0 });
  const { address, key } = host.api.status;
  const client = new OpenAI({ baseURL: address ?? '', apiKey: key, maxRetries: 0 });
  const model = host.models.list()[0]?.id ?? '';
  return { host, client, model, address: address ?? '', key };
}

const ask = (content: string) => [{ role: 'user' as const, content }];

interface Raw {
  status: number;
  body: { error?: { message: string; type: string; code: string; param: string | null } };
}

/** What OpenAI's client would not send. */
function raw({ address, path = '/models', method = 'GET', headers = {}, body = '' }: { address: string; path?: string; method?: string; headers?: Record<string, string>; body?: string }): Promise<Raw> {
  return new Promise((resolve, reject) => {
    const request = httpRequest(`${address}${path}`, { method, headers }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (piece: string) => (text += piece));
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body: JSON.parse(text) as Raw['body'] }));
    });
    request.on('error', reject);
    request.end(body);
  });
}

test('it is off until it is switched on, follows the settings, and its key is for its user’s eyes', async () => {
  const host = await openTestHostWithModel();
  expect(host.api.status).toMatchObject({ state: 'off', address: null, failure: null });
  expect(statSync(join(host.folder.root, 'api-key')).mode & 0o777).toBe(0o600);
  const changes: string[] = [];
  host.events.subscribe((name, payload) => name === 'api.changed' && changes.push((payload as { state: string }).state));
  await host.handlers['settings.update']({ api: { enabled: true, port: 0 } });
  await eventually(() => host.api.status.state === 'running');
  await host.handlers['settings.update']({ api: { enabled: false, port: 0 } });
  await eventually(() => changes.length === 2);
  expect(host.api.status.state).toBe('off');
  expect(changes).toEqual(['running', 'off']);
});

test('a port that is in use is said', async () => {
  const { address } = await openApi();
  const other = await openTestHostWithModel();
  const port = Number(new URL(address).port);
  await other.api.follow({ enabled: true, port });
  expect(other.api.status).toMatchObject({ state: 'failed', failure: { code: 'port-in-use', message: `Port ${port} on 127.0.0.1 is in use by another program.` } });
  await other.api.follow({ enabled: true, port: 0 });
  expect(other.api.status).toMatchObject({ state: 'running', failure: null });
});

test('only programs of this machine that have the key are answered', async () => {
  const { host, client, address, key } = await openApi();
  const authorization = `Bearer ${key}`;
  expect(await raw({ address })).toMatchObject({ status: 401, body: { error: { type: 'authentication_error', code: 'invalid_api_key' } } });
  expect(await raw({ address, headers: { authorization: `${authorization}x` } })).toMatchObject({ status: 401 });
  expect(await raw({ address, headers: { authorization, origin: 'http://evil.example' } })).toMatchObject({ status: 403, body: { error: { code: 'origin_not_allowed' } } });
  expect(await raw({ address, headers: { authorization, host: 'evil.example' } })).toMatchObject({ status: 403, body: { error: { code: 'host_not_allowed' } } });
  expect(await raw({ address, headers: { authorization } })).toMatchObject({ status: 200 });
  await client.models.list();
  host.api.regenerateKey();
  await expect(client.models.list()).rejects.toBeInstanceOf(OpenAI.AuthenticationError);
});

test('models, by id and by name', async () => {
  const { client, model } = await openApi();
  const listed = await client.models.list();
  expect(listed.data).toEqual([expect.objectContaining({ id: model, object: 'model', owned_by: 'longleaf', name: 'Tiny llama', context_tokens: 1024 })]);
  expect(await client.models.retrieve('Tiny llama')).toMatchObject({ id: model });
  await expect(client.models.retrieve('gone')).rejects.toMatchObject({ status: 404, code: 'model_not_found' });
});

test('an answer at once and as a stream, with true counts', async () => {
  const { client, model } = await openApi();
  const answer = await client.chat.completions.create({ model, messages: [{ role: 'system', content: 'Count.' }, ...ask('count 3')] });
  expect(answer).toMatchObject({
    object: 'chat.completion',
    model,
    choices: [{ index: 0, message: { role: 'assistant', content: '1 2 3 ' }, finish_reason: 'stop', logprobs: null }],
    usage: { prompt_tokens: 100, completion_tokens: 3, total_tokens: 103, longleaf: { policy: 'sketch', dropped: 0, dropped_because: null } },
  });
  const stream = await client.chat.completions.create({ model, messages: ask('count 5'), max_tokens: 2, stream: true, stream_options: { include_usage: true } });
  const chunks = [];
  for await (const chunk of stream) chunks.push(chunk);
  expect(chunks.flatMap(({ choices }) => choices.map(({ delta }) => delta.content ?? '')).join('')).toBe('1 2 ');
  expect(chunks[0]?.choices[0]?.delta.role).toBe('assistant');
  expect(chunks.at(-2)?.choices[0]?.finish_reason).toBe('length');
  expect(chunks.at(-1)).toMatchObject({ choices: [], usage: { completion_tokens: 2 } });
  expect(new Set(chunks.map(({ id }) => id)).size).toBe(1);
});

test('keys that were estimated are told', async () => {
  const { client, model } = await openApi({ worker: { environment: { ...process.env, SCRIPTED_GPU_TOKENS: '2' } } });
  const { usage } = await client.chat.completions.create({ model, messages: ask('count 1') });
  expect(usage).toMatchObject({ longleaf: { keys: { total: 100, exact: 50, estimated: 50, missed: 0, dropped: 0 } } });
});

test('completions and tokens', async () => {
  const { client, model } = await openApi();
  const completion = await client.completions.create({ model, prompt: 'count 4', max_tokens: 9 });
  expect(completion).toMatchObject({ object: 'text_completion', choices: [{ text: '1 2 3 4 ', finish_reason: 'stop' }] });
  let streamed = '';
  for await (const { choices } of await client.completions.create({ model, prompt: 'count 2', stream: true })) streamed += choices[0]?.text ?? '';
  expect(streamed).toBe('1 2 ');
  expect(await client.post('/tokenize', { body: { model, text: 'ab' } })).toEqual({ model, tokens: [97, 98], count: 2 });
});

test('a prompt longer than the window is refused with both numbers, never cut', async () => {
  const { client, model } = await openApi();
  const long = 'word '.repeat(1200);
  const failure = await client.chat.completions.create({ model, messages: ask(long), stream: true }).catch((error: unknown) => error);
  expect(failure).toBeInstanceOf(OpenAI.BadRequestError);
  expect(failure).toMatchObject({ status: 400, code: 'context_length_exceeded', type: 'invalid_request_error' });
  expect((failure as Error).message).toContain('The prompt is 1,201 tokens; Tiny llama holds 1,000.');
  await expect(client.chat.completions.create({ model, messages: ask('count 1'), max_tokens: 999 })).rejects.toThrow('999 are kept for the answer; Tiny llama holds 1,000.');
  await expect(client.completions.create({ model, prompt: long })).rejects.toThrow('The prompt is 1,200 tokens; Tiny llama holds 1,000.');
});

test.each([
  [{ messages: [] }, 'messages'],
  [{ messages: [{ role: 'user', content: [{ type: 'image_url', image_url: { url: 'x' } }] }] }, 'messages.0.content'],
  [{ messages: [{ role: 'assistant', content: 'no' }] }, 'messages'],
  [{ messages: [{ role: 'user', content: 'a' }, { role: 'system', content: 'late' }, { role: 'user', content: 'b' }] }, 'messages'],
  [{ messages: ask('a'), n: 2 }, 'n'],
  [{ messages: ask('a'), temperature: 9 }, 'temperature'],
  [{ messages: ask('a'), top_logprobs: 2 }, 'top_logprobs'],
  [{ messages: ask('a'), tools: [{ type: 'function' }] }, 'tools'],
  [{ messages: ask('a'), response_format: { type: 'json_object' } }, 'response_format.type'],
  [{ messages: ask('a'), logit_bias: { 3: 1 } }, 'logit_bias'],
  [{ messages: ask('a'), frequency_penalty: 1 }, 'frequency_penalty'],
])('what is not understood is refused by name: %j', async (body, param) => {
  const { address, key } = await openApi();
  const { status, body: answer } = await raw({ address, path: '/chat/completions', method: 'POST', headers: { authorization: `Bearer ${key}` }, body: JSON.stringify(body) });
  expect(status).toBe(400);
  expect(answer.error).toMatchObject({ type: 'invalid_request_error', param });
});

test('bad addresses, methods and bodies', async () => {
  const { address, key } = await openApi();
  const headers = { authorization: `Bearer ${key}` };
  expect(await raw({ address, path: '/nothing', headers })).toMatchObject({ status: 404, body: { error: { code: 'not_found' } } });
  expect(await raw({ address, path: '/models', method: 'DELETE', headers })).toMatchObject({ status: 405, body: { error: { message: '/v1/models takes GET, not DELETE.' } } });
  expect(await raw({ address, path: '/completions', method: 'POST', headers, body: '{' })).toMatchObject({ status: 400, body: { error: { code: 'invalid_json' } } });
  expect(await raw({ address, path: '/models/%zz', headers })).toMatchObject({ status: 400 });
  expect(await raw({ address, path: '/completions', method: 'POST', headers, body: '{"prompt":"a","what":1}' })).toMatchObject({ status: 400, body: { error: { message: expect.stringContaining('what') } } });
});

/** Tokens come slowly, so that there is time to leave. */
const slowly = { worker: { environment: { ...process.env, SCRIPTED_TOKEN_MS: '20' } } };

test('a client that leaves stops its answer, and the next one is written', async () => {
  const { host, client, model } = await openApi(slowly);
  const stream = await client.chat.completions.create({ model, messages: ask('count 900'), stream: true });
  for await (const { choices } of stream) if (choices[0]?.delta.content) break;
  const started = Date.now();
  expect((await client.chat.completions.create({ model, messages: ask('count 1') })).choices[0]?.message.content).toBe('1 ');
  expect(Date.now() - started).toBeLessThan(5000);

  // Without a stream, too, and while it waits for its turn.
  const stop = new AbortController();
  const left = [1, 2].map(() => client.chat.completions.create({ model, messages: ask('count 900') }, { signal: stop.signal }).catch(() => 'left'));
  await eventually(() => host.chat !== undefined && hostIsBusy(host));
  stop.abort();
  expect(await Promise.all(left)).toEqual(['left', 'left']);
  expect((await client.chat.completions.create({ model, messages: ask('count 1') })).choices[0]?.message.content).toBe('1 ');
});

function hostIsBusy(host: Host): boolean {
  return host.supervisor.status.loadedModelId !== null;
}

test('answers of the API and of the interface wait for each other', async () => {
  const { host, client, model } = await openApi(slowly);
  const finished: string[] = [];
  host.events.subscribe((name, payload) => {
    if (name === 'message.changed' && (payload as { role: string; state: string }).role === 'assistant' && (payload as { state: string }).state === 'complete') finished.push('interface');
  });
  const { id } = host.conversations.create({}, { systemPrompt: '', sampling: host.settings.read().defaultSampling });
  host.chat.send(id, 'count 10');
  await client.chat.completions.create({ model, messages: ask('count 1') }).then(() => finished.push('api'));
  expect(finished).toEqual(['interface', 'api']);
});

test('a worker that dies is an error in OpenAI’s shape, before the stream and within it', async () => {
  const { client, model } = await openApi();
  await expect(client.chat.completions.create({ model, messages: ask('die 2') })).rejects.toMatchObject({ status: 503, code: 'worker-died' });
  const stream = await client.chat.completions.create({ model, messages: ask('die 2'), stream: true });
  const read = async () => {
    for await (const chunk of stream) void chunk;
  };
  await expect(read()).rejects.toThrow('The GPU worker stopped');
});

test('documents: add as text and as a file, list, read, ask', async () => {
  const { host, client, model, address, key } = await openApi();
  interface Document {
    id: string;
    name: string;
    readings: { model: string; state: string; done_tokens: number }[];
  }
  const added = await client.post<Document>('/documents', { body: { name: 'notes.txt', text: 'one two three' } });
  expect(added).toMatchObject({ object: 'document', name: 'notes.txt', characters: 13, readings: [] });
  const file = await fetch(`${address}/documents?name=file.md`, { method: 'POST', headers: { authorization: `Bearer ${key}` }, body: '# Title' });
  expect(file.status).toBe(201);
  expect((await client.get<{ data: Document[] }>('/documents')).data.map(({ name }) => name)).toEqual(['file.md', 'notes.txt']);

  await eventually(async () => (await host.handlers['search.query']({ query: 'three', limit: 5 })).documents.length === 1);
  host.settings.update({ caps: { modelsBytes: null, documentsBytes: 100 } });
  await expect(client.post('/documents', { body: { name: 'long.txt', text: 'word '.repeat(100) } })).rejects.toMatchObject({ status: 413, code: 'documents-cap' });
  host.settings.update({ caps: { modelsBytes: null, documentsBytes: null } });

  expect(await client.post(`/documents/${added.id}/read`, { body: { model } })).toMatchObject({ object: 'document.reading', model });
  await eventually(async () => (await client.get<Document>(`/documents/${added.id}`)).readings[0]?.state === 'done');
  expect((await host.memories.list()).flatMap(({ users }) => users.map(({ id }) => id))).toEqual([added.id]);

  const answer = await client.post<OpenAI.ChatCompletion>(`/documents/${added.id}/ask`, { body: { question: 'count 2', model } });
  expect(answer.choices[0]?.message.content).toBe('1 2 ');
  await expect(client.post('/documents/gone/ask', { body: { question: 'x' } })).rejects.toMatchObject({ status: 404, code: 'document-not-found' });
  await expect(client.post('/chat/completions', { body: { model, documents: ['gone'], messages: ask('x') } })).rejects.toMatchObject({ status: 404 });
});
