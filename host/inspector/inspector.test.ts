import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { tile } from '../contract/inspection.ts';
import type { Host } from '../host.ts';
import { eventually } from '../testing/eventually.ts';
import { failureOf } from '../testing/failureOf.ts';
import { openTestHostWithModel } from '../testing/openTestHost.ts';
import { temporaryFolder } from '../testing/temporaryFolder.ts';
import { TileCache } from './tileCache.ts';

async function answered(host: Host, question = 'count 3'): Promise<{ conversationId: string; messageId: string; documentId: string }> {
  const { id: documentId } = await host.documents.addText('A book', 'Once upon a time.');
  const { id: conversationId } = host.conversations.create({ documentIds: [documentId] }, { systemPrompt: '', sampling: { ...host.settings.read().defaultSampling } });
  const { answer } = host.chat.send(conversationId, question);
  await eventually(() => host.messages.get(answer.id).state === 'complete');
  return { conversationId, messageId: answer.id, documentId };
}

const ready = (host: Host, messageId: string) => eventually(() => host.inspector.evidence(messageId).state === 'ready');

test('an answer about a document is looked into by itself, and what was found outlives the host', async () => {
  const dataFolder = temporaryFolder();
  const host = await openTestHostWithModel({ dataFolder });
  const { messageId, documentId } = await answered(host);
  await ready(host, messageId);
  const { evidence } = host.inspector.evidence(messageId);
  expect(evidence?.citations).toMatchObject([{ number: 1, grade: 'attended', passage: { documentId, start: 0, end: 5 } }]);
  await host.close();
  const again = await openTestHostWithModel({ dataFolder, worker: { entry: '/nowhere' } });
  expect(again.inspector.evidence(messageId).evidence).toEqual(evidence);
});

test('switched off, only what somebody opens is looked into', async () => {
  const host = await openTestHostWithModel();
  host.settings.update({ evidence: false });
  const heard: string[] = [];
  host.events.subscribe((name) => heard.push(name));
  const { messageId } = await answered(host);
  await new Promise((resolve) => setTimeout(resolve, 500));
  expect(heard).not.toContain('evidence.changed');
  expect(host.inspector.evidence(messageId).state).toBe('waiting');
  await ready(host, messageId);
});

test('a question ends what is being looked into; it begins anew afterwards', async () => {
  const host = await openTestHostWithModel();
  const { conversationId, messageId } = await answered(host, 'slow count 2');
  await eventually(() => host.inspector.evidence(messageId).state === 'working');
  const { answer } = host.chat.send(conversationId, 'count 2');
  await eventually(() => host.messages.get(answer.id).state === 'complete');
  // What was looked into did not come to its end first, and has half a second to go now that it begins anew.
  expect(host.inspector.evidence(messageId).state).not.toBe('ready');
  await ready(host, messageId);
});

test('a tile is computed once, and one that is not wanted any more is cancelled', async () => {
  const host = await openTestHostWithModel();
  const { messageId } = await answered(host, 'slow count 2');
  await ready(host, messageId);
  const request = { messageId, heads: 'retrieval' as const, rows: { from: 0, to: 2, perBucket: 1 }, keys: { from: 0, to: 10, perBucket: 5 } };
  const first = await host.inspector.tile(request);
  const second = await host.inspector.tile(request);
  expect(first).toMatchObject({ rows: 2, columns: 2, cached: false });
  expect(second).toEqual({ ...first, cached: true });
  const other = host.inspector.tile({ ...request, keys: { from: 0, to: 10, perBucket: 1 } });
  host.inspector.cancel(messageId);
  expect(await failureOf(() => other)).toMatchObject({ code: 'cancelled' });
});

test('without a passage an answer has other probabilities; a question has none', async () => {
  const host = await openTestHostWithModel();
  const { messageId, documentId } = await answered(host);
  await ready(host, messageId);
  const { before, after } = await host.inspector.ablate(messageId, { documentId, start: 0, end: 4 });
  expect([before.length, after.length]).toEqual([3, 3]);
  expect(await host.inspector.profile({ messageId, documentId, heads: 'all', rows: { from: 0, to: 3 } })).toMatchObject({ tokens: 4 });
  const question = host.messages.get(messageId).parentId ?? '';
  expect(() => host.inspector.evidence(question)).toThrow('Only answers');
});

test('what the policy chose is told once, and kept', async () => {
  const dataFolder = temporaryFolder();
  const host = await openTestHostWithModel({ dataFolder });
  const { messageId, documentId } = await answered(host);
  await ready(host, messageId);
  const told = await host.inspector.retrieval(messageId);
  expect(told).toMatchObject({ policy: 'sketch', sealedTokens: 3, documents: [{ documentId }] });
  await host.close();
  const again = await openTestHostWithModel({ dataFolder, worker: { entry: '/nowhere' } });
  expect(await again.inspector.retrieval(messageId)).toEqual(told);
});

test('a part of the triangle is computed once, and one that is not wanted any more is cancelled', async () => {
  const host = await openTestHostWithModel();
  const { messageId } = await answered(host, 'slow count 2');
  await ready(host, messageId);
  const request = { messageId, heads: 'all' as const, rows: { from: 0, to: 8, perBucket: 4 }, keys: { from: 0, to: 8, perBucket: 4 } };
  const first = await host.inspector.triangle(request);
  expect(first).toMatchObject({ rows: 2, columns: 2, cached: false });
  expect(await host.inspector.triangle(request)).toEqual({ ...first, cached: true });
  const other = host.inspector.triangle({ ...request, heads: 'retrieval' });
  host.inspector.cancel(messageId);
  expect(await failureOf(() => other)).toMatchObject({ code: 'cancelled' });
});

test('the cache of tiles forgets what was used longest ago, and what is damaged', async () => {
  const folder = join(temporaryFolder(), 'tiles');
  const shown = { rows: 1, columns: 1, heads: 1, sums: 'x'.repeat(900), peaks: '', peakKeys: '' };
  const noisy = (seed: number) => ({ ...shown, sums: Array.from({ length: 900 }, (_, i) => String.fromCharCode(33 + ((Math.imul(i + 1, 2654435761) ^ Math.imul(seed + 1, 40503 * (i + 3))) >>> 8) % 90)).join('') });
  const shape = tile.omit({ cached: true });
  const cache = new TileCache(folder, 3000);
  for (let i = 0; i < 6; i++) {
    await cache.keep(i, noisy(i));
    await cache.find(0, shape);
  }
  expect(await cache.find(0, shape)).toEqual(noisy(0));
  expect(await cache.find(1, shape)).toBeUndefined();
  expect(readdirSync(folder).length).toBeLessThan(6);
  expect(await new TileCache(folder, 3000).find(0, shape)).toEqual(noisy(0));
});

test('the guide asks once for its example, and shows the same answer again', async () => {
  const host = await openTestHostWithModel();
  const first = await host.handlers['inspector.example']({});
  const conversation = host.conversations.get(first.conversationId);
  expect(await host.documents.text(conversation.documentIds[0], 0, 8000)).toMatchObject({ text: expect.stringMatching(/^\S[^]*‘DRINK ME’[^]*\S$/u) });
  expect(host.messages.get(first.parentId ?? '').text).toBe('What did the label of the bottle say?');
  await eventually(() => host.messages.get(first.id).state === 'complete');
  expect((await host.handlers['inspector.example']({})).id).toBe(first.id);
  expect(host.documents.list().length).toBe(1);
  await ready(host, first.id);
});
