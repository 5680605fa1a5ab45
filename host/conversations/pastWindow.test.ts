import { expect, test } from 'vitest';
import type { Host } from '../host.ts';
import { failureOf } from '../testing/failureOf.ts';
import { openTestHostWithModel } from '../testing/openTestHost.ts';

const turn = (index: number, words: number) => [
  { id: `q${index}`, parentId: index === 0 ? null : `a${index - 1}`, role: 'user' as const, text: `Question ${index}`, state: 'complete' as const, failure: null, statistics: null, modelName: null, createdAtMs: index },
  { id: `a${index}`, parentId: `q${index}`, role: 'assistant' as const, text: `<think>no</think>${'word '.repeat(words)}`, state: 'complete' as const, failure: null, statistics: null, modelName: 'Tiny', createdAtMs: index },
];

function longChat(host: Host, turns: number, words: number): string {
  const { id } = host.conversations.create({ title: 'Long', systemPrompt: 'Be brief.' }, { systemPrompt: '', sampling: { ...host.settings.read().defaultSampling, maxTokens: 64 } });
  host.messages.putAll(id, Array.from({ length: turns }, (_, index) => turn(index, words)).flat(), `a${turns - 1}`);
  return id;
}

test('a new chat from a summary of what fits, with what was left out said', async () => {
  const host = await openTestHostWithModel();
  const id = longChat(host, 10, 120);
  const next = await host.pastWindow.choose(id, 'summary');
  expect(next).toMatchObject({ title: 'Long (2)', pinned: false });
  // The scripted model counts.
  expect(next.systemPrompt).toBe('Be brief.\n\nSummary of the conversation so far:\n1 2 3');
  expect(host.conversationEvents.list(id)).toMatchObject([{ afterMessageId: 'a9', details: { kind: 'continued', conversationId: next.id, title: 'Long (2)' } }]);
  const [{ details } = { details: null }] = host.conversationEvents.list(next.id);
  expect(details).toMatchObject({ kind: 'begun', conversationId: id, title: 'Long', summary: '1 2 3' });
  if (details?.kind !== 'begun') throw new Error('not begun');
  // The window is 1,000 words, 400 of them for the summary; a turn has 124, the instructions about 40.
  expect([details.turns, details.turnsLeftOut]).toEqual([4, 6]);
});

test('to stop and to go on beyond the GPU are kept as events', async () => {
  const host = await openTestHostWithModel({ worker: { environment: { SCRIPTED_GPU_TOKENS: '100' } } });
  const id = longChat(host, 2, 100);
  await host.pastWindow.choose(id, 'offload');
  await host.pastWindow.choose(id, 'stop');
  expect(host.conversationEvents.list(id).map(({ details }) => details)).toEqual([
    { kind: 'offloaded', residentTokens: 100, offloadedTokens: expect.any(Number) },
    { kind: 'stopped', promptTokens: expect.any(Number), windowTokens: 1000 },
  ]);
});

test('a summary that is stopped changes nothing', async () => {
  const host = await openTestHostWithModel();
  const id = longChat(host, 3, 10);
  const summary = host.pastWindow.choose(id, 'summary');
  host.pastWindow.stop(id);
  expect((await failureOf(() => summary)).code).toBe('cancelled');
  expect(host.conversations.ids()).toEqual([id]);
  expect(host.conversationEvents.list(id)).toEqual([]);
});
