import { MessageChannel } from 'node:worker_threads';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type AnsweringPort, answerRequests } from './answerRequests.ts';
import { type HighlightWorker, Highlighter } from './highlighter.ts';
import { type HighlightRequest, codeColours, plainRuns } from './protocol.ts';

const keyword = codeColours.indexOf('--code-token-keyword');

/** A worker that says what the test has it say. */
function scriptedWorker() {
  const target = new EventTarget();
  const requests: HighlightRequest[] = [];
  const terminate = vi.fn();
  const say = (data: unknown) => target.dispatchEvent(new MessageEvent('message', { data }));
  const worker: HighlightWorker = {
    addEventListener: target.addEventListener.bind(target) as HighlightWorker['addEventListener'],
    postMessage: (request) => requests.push(request),
    terminate,
  };
  return {
    worker,
    requests,
    terminate,
    say,
    /** Answers the last request: all of it is a keyword. */
    answer: () => say({ id: requests.at(-1)?.id, runs: keywordRuns(requests.at(-1)?.code ?? '') }),
    fail: () => {
      const event = new Event('error', { cancelable: true });
      target.dispatchEvent(event);
      return event;
    },
  };
}

function keywordRuns(code: string): Uint32Array {
  return Uint32Array.of(code.length, keyword);
}

/** A highlighter whose workers are scripted, and those that it started. */
function scripted() {
  const workers: ReturnType<typeof scriptedWorker>[] = [];
  const highlighter = new Highlighter(() => {
    workers.push(scriptedWorker());
    return workers[workers.length - 1].worker;
  });
  return { highlighter, workers };
}

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

describe('Highlighter', () => {
  it('starts its worker with the first block, and remembers what it found', () => {
    const { highlighter, workers } = scripted();
    expect(highlighter.remembered('def', 'python')).toBeNull();
    expect(workers).toHaveLength(0);
    const found = vi.fn();
    highlighter.highlight('def', 'python', found);
    expect(workers[0].requests).toEqual([{ id: 1, code: 'def', language: 'python' }]);
    workers[0].answer();
    expect(found).toHaveBeenCalledExactlyOnceWith(keywordRuns('def'));
    expect(highlighter.remembered('def', 'python')).toEqual(keywordRuns('def'));
    expect(highlighter.remembered('def', 'ruby')).toBeNull();
  });

  it('asks for one block at a time, in turn, and never for one that is no longer wanted', () => {
    const { highlighter, workers } = scripted();
    const found = vi.fn();
    highlighter.highlight('first', 'python', found);
    const cancelSecond = highlighter.highlight('second', 'python', found);
    highlighter.highlight('third', 'python', found);
    cancelSecond();
    workers[0].answer();
    workers[0].answer();
    expect(workers[0].requests.map(({ code }) => code)).toEqual(['first', 'third']);
    expect(found.mock.calls).toEqual([[keywordRuns('first')], [keywordRuns('third')]]);
  });

  it('drops the colours of code that has grown meanwhile', () => {
    const { highlighter, workers } = scripted();
    const [early, late] = [vi.fn(), vi.fn()];
    highlighter.highlight('def', 'python', early)();
    highlighter.highlight('def f', 'python', late);
    workers[0].answer();
    expect(early).not.toHaveBeenCalled();
    expect(late).not.toHaveBeenCalled();
    workers[0].answer();
    expect(late).toHaveBeenCalledExactlyOnceWith(keywordRuns('def f'));
  });

  it('asks once for the same code in two places', () => {
    const { highlighter, workers } = scripted();
    const found = vi.fn();
    highlighter.highlight('def', 'python', found);
    highlighter.highlight('def', 'python', found);
    workers[0].answer();
    expect(workers[0].requests).toHaveLength(1);
    expect(found).toHaveBeenCalledTimes(2);
  });

  it('takes nothing but an answer to what it asked', () => {
    const { highlighter, workers } = scripted();
    const found = vi.fn();
    highlighter.highlight('def', 'python', found);
    for (const data of [null, 'def', { id: 2, runs: keywordRuns('def') }, { id: '1', runs: null }, { id: 1, runs: [3, 1] }, { id: 1, html: '<b>' }]) workers[0].say(data);
    expect(found).not.toHaveBeenCalled();
    workers[0].answer();
    workers[0].answer();
    expect(found).toHaveBeenCalledOnce();
  });

  it.each([
    ['another length', [2, keyword]],
    ['a colour that there is not', [3, codeColours.length]],
    ['half a run', [3]],
    ['nothing', []],
  ])('shows code plain when its answer has %s', (_, runs) => {
    const { highlighter, workers } = scripted();
    const found = vi.fn();
    highlighter.highlight('def', 'python', found);
    workers[0].say({ id: 1, runs: Uint32Array.from(runs) });
    expect(found).toHaveBeenCalledExactlyOnceWith(plainRuns('def'));
  });

  it('leaves code of more than 100,000 characters plain', () => {
    const { highlighter, workers } = scripted();
    highlighter.highlight('x'.repeat(100_001), 'python', vi.fn());
    expect(workers).toHaveLength(0);
  });

  it('asks again when the worker died, of at most three workers, after growing pauses', () => {
    const { highlighter, workers } = scripted();
    const found = vi.fn();
    highlighter.highlight('def', 'python', found);
    expect(workers[0].fail().defaultPrevented).toBe(true);
    expect(workers[0].terminate).toHaveBeenCalledOnce();
    vi.advanceTimersByTime(999);
    expect(workers).toHaveLength(1);
    vi.advanceTimersByTime(1);
    expect(workers[1].requests.map(({ code }) => code)).toEqual(['def']);
    workers[1].fail();
    vi.advanceTimersByTime(2000);
    workers[2].answer();
    expect(found).toHaveBeenCalledExactlyOnceWith(keywordRuns('def'));
    highlighter.highlight('while', 'python', found);
    workers[2].fail();
    highlighter.highlight('for', 'python', found);
    vi.advanceTimersByTime(3_600_000);
    expect(workers).toHaveLength(3);
    expect(found).toHaveBeenCalledOnce();
    // What was found before is still known.
    expect(highlighter.remembered('def', 'python')).toEqual(keywordRuns('def'));
  });

  it('goes on without colours where no worker can be started', () => {
    const start = vi.fn<() => HighlightWorker>(() => {
      throw new TypeError('refused');
    });
    const highlighter = new Highlighter(start);
    const found = vi.fn();
    highlighter.highlight('def', 'python', found);
    vi.advanceTimersByTime(3_600_000);
    highlighter.highlight('for', 'python', found);
    vi.advanceTimersByTime(3_600_000);
    expect(start).toHaveBeenCalledTimes(3);
    expect(found).not.toHaveBeenCalled();
  });

  it('ends a worker that does not answer, and leaves plain what held it up', () => {
    const { highlighter, workers } = scripted();
    const [held, next] = [vi.fn(), vi.fn()];
    highlighter.highlight('endless', 'python', held);
    highlighter.highlight('def', 'python', next);
    vi.advanceTimersByTime(20_000);
    expect(workers[0].terminate).toHaveBeenCalledOnce();
    expect(held).toHaveBeenCalledExactlyOnceWith(plainRuns('endless'));
    // Said by the one that was ended.
    workers[0].say({ id: 2, runs: keywordRuns('def') });
    expect(next).not.toHaveBeenCalled();
    vi.advanceTimersByTime(1000);
    workers[1].answer();
    expect(next).toHaveBeenCalledExactlyOnceWith(keywordRuns('def'));
    highlighter.highlight('endless', 'python', held);
    expect(held).toHaveBeenCalledTimes(2);
    expect(workers[1].requests).toHaveLength(1);
  });

  it('gets colours from the worker’s own program', async () => {
    vi.useRealTimers();
    const { port1, port2 } = new MessageChannel();
    answerRequests(port2 as unknown as AnsweringPort);
    const highlighter = new Highlighter(() => {
      const worker = port1 as unknown as HighlightWorker;
      return Object.assign(worker, { terminate: () => port1.close() });
    });
    const ask = (code: string) => new Promise<Uint32Array>((resolve) => void highlighter.highlight(code, 'python', resolve));
    port1.start();
    port2.start();
    expect(await Promise.all([ask('def f()'), ask('pass')])).toEqual([Uint32Array.of(3, keyword, 1, 0, 1, codeColours.indexOf('--code-token-function'), 2, 0), Uint32Array.of(4, keyword)]);
    port1.close();
  });
});
