import { expect, test } from 'vitest';
import type { EventPayload } from '../contract/methods.ts';
import type { Host } from '../host.ts';
import { eventually } from '../testing/eventually.ts';
import { openTestHostWithModel } from '../testing/openTestHost.ts';
import { temporaryFolder } from '../testing/temporaryFolder.ts';

/** An answer of five tokens about a document, with what was told of its attention meanwhile. */
async function answered(host: Host, told: EventPayload<'answer.attention'>[]): Promise<string> {
  host.events.subscribe((name, payload) => {
    if (name === 'answer.attention') told.push(payload as EventPayload<'answer.attention'>);
  });
  const { id: documentId } = await host.documents.addText('A book', 'Once upon a time.');
  const { id: conversationId } = host.conversations.create({ documentIds: [documentId] }, { systemPrompt: '', sampling: { ...host.settings.read().defaultSampling } });
  const { answer } = host.chat.send(conversationId, 'count 5');
  await eventually(() => host.messages.get(answer.id).state === 'complete');
  return answer.id;
}

test('what an answer attends to is told while it is written, outlives the host, and gives way to its evidence', async () => {
  const dataFolder = temporaryFolder();
  const host = await openTestHostWithModel({ dataFolder });
  host.settings.update({ evidence: false });
  const told: EventPayload<'answer.attention'>[] = [];
  const messageId = await answered(host, told);
  expect(told.map(({ view, rows }) => [view !== null, rows.first])).toEqual([[true, 0], [false, 1], [false, 2], [false, 3], [false, 4]]);
  const live = host.inspector.live(messageId);
  expect(live?.view.documents).toMatchObject([{ name: 'A book' }]);
  expect(live?.rows.zones.length).toBe(5);
  expect([...new Uint16Array(Uint8Array.from(Buffer.from(live?.rows.blocks[0] ?? '', 'base64')).buffer)]).toEqual([32_768, 0, 32_768, 0, 32_768, 0, 32_768, 0, 32_768, 0]);
  await host.close();

  const again = await openTestHostWithModel({ dataFolder });
  expect(again.inspector.live(messageId)).toEqual(live);
  await eventually(() => again.inspector.evidence(messageId).state === 'ready');
  expect(again.inspector.live(messageId)).toBeNull();
});

test('switched off, nothing is asked for and nothing is kept', async () => {
  const host = await openTestHostWithModel();
  host.settings.update({ liveAttention: false, evidence: false });
  const told: EventPayload<'answer.attention'>[] = [];
  const messageId = await answered(host, told);
  expect(told).toEqual([]);
  expect(host.inspector.live(messageId)).toBeNull();
});
