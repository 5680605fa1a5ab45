import { expect, onTestFinished, test } from 'vitest';
import * as z from 'zod';
import { defaultSampling, type WorkerStatus } from '../contract/entities.ts';
import { generateResult } from '../gpu-worker/protocol.ts';
import { eventually } from '../testing/eventually.ts';
import { failureOf } from '../testing/failureOf.ts';
import { scriptedWorkerPath } from '../testing/scriptedWorkerPath.ts';
import { ModelSession } from './modelSession.ts';
import { type SupervisorOptions, WorkerSupervisor } from './supervisor.ts';

function openSupervisor(options: Partial<SupervisorOptions> = {}, environment: NodeJS.ProcessEnv = {}) {
  const supervisor = new WorkerSupervisor({
    entry: scriptedWorkerPath,
    environment: { ...process.env, ...environment },
    firstPauseMs: 10,
    ...options,
  });
  onTestFinished(() => supervisor.close());
  const states: WorkerStatus['state'][] = [];
  supervisor.onStatus(({ state }) => states.at(-1) !== state && states.push(state));
  const session = new ModelSession(supervisor);
  const generate = (text: string, signal?: AbortSignal) =>
    session.use({ id: 'tiny', path: '/tiny.gguf', contextTokens: null, boundsChecks: false }, { signal }, () =>
      supervisor.run({ kind: 'generate', prompt: { kind: 'raw', text }, sampling: defaultSampling, stop: [] }, generateResult, { signal }),
    );
  return { supervisor, session, states, generate };
}

test('the worker starts when it is first needed and ends when it is closed', async () => {
  const { supervisor, generate, states } = openSupervisor();
  expect(supervisor.status.state).toBe('stopped');
  expect((await generate('count 3')).text).toBe('1 2 3 ');
  expect(supervisor.status).toMatchObject({ state: 'ready', adapter: { name: 'Scripted adapter' }, loadedModelId: 'tiny' });
  const pid = supervisor.pid ?? 0;
  await supervisor.close();
  expect(() => process.kill(pid, 0)).toThrow('ESRCH');
  expect(states).toEqual(['starting', 'ready', 'stopped']);
});

test('a worker that is to start soon starts by itself, and at once when it is needed', async () => {
  const idle = openSupervisor();
  idle.supervisor.startSoon();
  expect(idle.supervisor.status.state).toBe('starting');
  expect(idle.supervisor.pid).toBeUndefined();
  const asked = openSupervisor();
  asked.supervisor.startSoon();
  const answering = asked.generate('count 2');
  await Promise.resolve();
  expect(asked.supervisor.pid).toBeDefined();
  expect((await answering).text).toBe('1 2 ');
  expect(asked.states).toEqual(['starting', 'ready']);
  await eventually(() => idle.supervisor.status.state === 'ready');
});

test('jobs of a killed worker fail with the signal; the next one runs on a new worker', async () => {
  const { supervisor, generate, states } = openSupervisor();
  const answering = generate('count 1000');
  await eventually(() => supervisor.status.loadedModelId);
  process.kill(supervisor.pid ?? 0, 'SIGKILL');
  expect(await failureOf(() => answering)).toEqual({
    code: 'worker-died',
    message: 'The GPU worker stopped (signal SIGKILL) while answering.',
    remedy: 'Your conversation is intact: press Try again.',
  });
  expect(supervisor.status).toMatchObject({ state: 'restarting', loadedModelId: null });
  // No waiting and nothing to restart: the model is loaded again by itself.
  expect((await generate('count 2')).text).toBe('1 2 ');
  expect(states).toEqual(['starting', 'ready', 'restarting', 'ready']);
});

test('a worker that hangs is killed and replaced', async () => {
  const { generate } = openSupervisor({ pingEveryMs: 50, hangAfterMs: 3000 });
  expect(await failureOf(() => generate('hang'))).toMatchObject({
    code: 'worker-hung',
    message: 'The GPU worker stopped (no sign of life for 3 s) while answering.',
  });
  expect((await generate('count 1')).text).toBe('1 ');
});

test('a lost device makes the model load again', async () => {
  const { supervisor, generate } = openSupervisor();
  expect(await failureOf(() => generate('lose'))).toMatchObject({ code: 'device-lost' });
  expect(supervisor.status).toMatchObject({ state: 'ready', loadedModelId: null, failure: { code: 'device-lost' } });
  expect((await generate('count 1')).text).toBe('1 ');
  expect(supervisor.status).toMatchObject({ state: 'ready', loadedModelId: 'tiny', failure: null });
});

test('a worker that says why it cannot start is not started again until somebody asks', async () => {
  const { supervisor, generate } = openSupervisor({}, { SCRIPTED_START: 'no-adapter' });
  const failure = { code: 'no-adapter', message: 'There is no adapter.', remedy: 'Install Mesa.' };
  expect(await failureOf(() => generate('count 1'))).toEqual(failure);
  expect(supervisor.status).toMatchObject({ state: 'failed', failure });
  expect(await failureOf(() => generate('count 1'))).toEqual(failure);
});

test('a worker that keeps crashing is given up, with its last words', async () => {
  const { supervisor, generate, states } = openSupervisor({}, { SCRIPTED_START: 'crash' });
  expect(await failureOf(() => generate('count 1'))).toEqual({
    code: 'worker-start-failed',
    message: 'The GPU worker could not start (exit code 1): Error: crashed at start.',
    remedy: 'Check the graphics driver and try again; “longleaf doctor” shows what this machine offers.',
  });
  expect(states).toEqual(['starting', 'restarting', 'failed']);
  expect(supervisor.status.failure?.code).toBe('worker-start-failed');
});

test('stopping a job stops it in the worker', async () => {
  const { supervisor, generate } = openSupervisor();
  const abort = new AbortController();
  const answering = generate('count 1000', abort.signal);
  await eventually(() => supervisor.status.loadedModelId);
  abort.abort();
  expect((await answering).statistics.stopReason).toBe('cancelled');
});

test('work on one model runs side by side; another model waits for it, and nobody overtakes', async () => {
  const { supervisor, session } = openSupervisor();
  const order: string[] = [];
  const use = (path: string, name: string) =>
    session.use({ id: path, path, contextTokens: null, boundsChecks: false }, {}, async () => {
      order.push(`${name} begins on ${supervisor.status.loadedModelId}`);
      await supervisor.run({ kind: 'tokens', text: 'a' }, z.unknown());
      order.push(`${name} ends`);
    });
  await Promise.all([use('a', '1'), use('a', '2'), use('b', '3'), use('a', '4')]);
  expect(order).toEqual([
    '1 begins on a',
    '2 begins on a',
    '1 ends',
    '2 ends',
    '3 begins on b',
    '3 ends',
    '4 begins on a',
    '4 ends',
  ]);
});

test('a place in the queue can be left', async () => {
  const { session } = openSupervisor();
  const abort = new AbortController();
  let release = () => {};
  const held = session.use({ id: 'a', path: 'a', contextTokens: null, boundsChecks: false }, {}, () => new Promise<void>((resolve) => (release = resolve)));
  const waiting = session.use({ id: 'b', path: 'b', contextTokens: null, boundsChecks: false }, { signal: abort.signal }, async () => 'b');
  const behind = session.use({ id: 'a', path: 'a', contextTokens: null, boundsChecks: false }, {}, async () => 'a');
  abort.abort();
  expect((await failureOf(() => waiting)).code).toBe('cancelled');
  expect(await behind).toBe('a');
  release();
  await held;
});
