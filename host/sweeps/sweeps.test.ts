import { expect, test } from 'vitest';
import { sweepKindOf } from '../contract/sweep.ts';
import type { Host } from '../host.ts';
import { eventually } from '../testing/eventually.ts';
import { failureOf } from '../testing/failureOf.ts';
import { openTestHostWithModel } from '../testing/openTestHost.ts';
import { temporaryFolder } from '../testing/temporaryFolder.ts';
import { itemsOf, joined, linesOf } from './items.ts';
import { windowsOf } from './windows.ts';

const records = Array.from({ length: 40 }, (_, i) => `RECORD ${1000 + i}: the ship Vessel${i} brought cargo${i} to port${i}.`);
const filler = 'The wind turned in the evening and nobody on the quay said a word about it. '.repeat(9);
/** One record after each paragraph, the first one twice. */
const book = [...records, records[0]].map((record) => `${filler.trim()}\n\n${record}`).join('\n\n');

async function begun(host: Host, question = 'List every RECORD in the book.') {
  const { id: documentId } = await host.documents.addText('Ships', book);
  return host.sweeps.start({ documentId, modelId: host.models.list()[0].id, conversationId: null, question });
}

const ended = (host: Host, id: string) =>
  eventually(() => {
    const now = host.sweeps.list().find((one) => one.id === id);
    return now?.state === 'done' || now?.state === 'failed' ? now : undefined;
  });

test('questions for all of something are told from others', () => {
  const kinds = ['List every ship in the book', 'How many people die?', 'Summarise the whole book', 'What is the password?', 'Who is Mr Garth?', 'Name all places that are mentioned'].map(sweepKindOf);
  expect(kinds).toEqual(['list', 'list', 'summary', null, null, 'list']);
});

test('windows are the whole text, cut between paragraphs', () => {
  const windows = windowsOf(book);
  expect(windows.map(({ start, end }) => book.slice(start, end)).join('')).toBe(book);
  expect(windows.every(({ start, end }) => end - start <= 4000)).toBe(true);
  expect(windows.slice(0, -1).every(({ end }) => book.slice(0, end).endsWith('\n\n'))).toBe(true);
  expect(windowsOf('x'.repeat(9001)).map(({ end }) => end)).toEqual([4000, 8000, 9001]);
  expect(windowsOf('')).toEqual([]);
});

test('lines are items without their bullets; none is none, and what the window does not say is left out', () => {
  expect(linesOf('Here they are:\n1. **Anna**\n- Bert\n- Bert\nNone of the others.\nBer')).toEqual(['Anna', 'Bert']);
  // Only the last line is cut off.
  expect(linesOf('Ship 12\nShip 1\nShip 3')).toEqual(['Ship 12', 'Ship 1', 'Ship 3']);
  const window = { start: 5, end: 60 };
  const text = '.....Anna sold her horse. Bert went home and wept for joy.';
  const items = itemsOf('Anna sold her horse\nCarla bought a castle\nBert wept', { text, window, question: '' });
  expect(items).toEqual([
    { text: 'Anna sold her horse', passages: [{ start: 5, end: 25, verified: true }] },
    { text: 'Bert wept', passages: [{ start: 26, end: 58, verified: true }] },
  ]);
  expect(joined(items, itemsOf('bert WEPT', { text, window: { start: 26, end: 58 }, question: '' }))).toEqual(items);
});

test('what mixes two sentences is left out where a better item says the one it would be cited at', () => {
  const text = 'The Red Harbour carried marble to Havana. The Swift Dolphin carried wool to Toronto, and the Quiet Heron with it.';
  const answer = 'The Red Harbour carried marble to Havana\nThe Red Harbour carried wool to Havana\nThe Swift Dolphin carried wool\nThe Quiet Heron';
  const items = itemsOf(answer, { text, window: { start: 0, end: text.length }, question: '' });
  expect(items.map((item) => item.text)).toEqual(['The Red Harbour carried marble to Havana', 'The Swift Dolphin carried wool', 'The Quiet Heron']);
  // Variations of what was said say nothing new, wherever their other words are from, nor does a part of it.
  const varied = itemsOf(`${answer}\nThe Red Harbour carried wool to Toronto\nThe Red Harbour carried the Quiet Heron\nThe Red Harbour carried marble`, { text, window: { start: 0, end: text.length }, question: '' });
  expect(varied).toEqual(items);
  // Alone it is all there is.
  expect(itemsOf('The Red Harbour carried wool to Havana', { text, window: { start: 0, end: text.length }, question: '' })).toHaveLength(1);
});

test('what runs over several sentences is there once, however it is introduced', () => {
  const text = 'The keeper read the letters of other people aloud. Nobody in the village minded that. They sat on the stairs until the oil was burned. He had a fine voice.';
  const line = 'The keeper read the letters of other people, nobody minded, they sat on the stairs until the oil was burned';
  const items = itemsOf(`${line}\nThe text is: ${line}`, { text, window: { start: 0, end: text.length }, question: 'List everything in the text' });
  expect(items).toEqual([{ text: line, passages: [{ start: 0, end: text.length, verified: false }] }]);
});

test('what has a name from another paragraph is not cited at the one that has its other words', () => {
  const text = 'The Brave Anchor carried salt to Osaka.\n\nThe Lonely Comet carried tea to Perth.';
  const [item] = itemsOf('The Lonely Anchor carried salt to Osaka', { text, window: { start: 0, end: text.length }, question: '' });
  expect(item).toEqual({ text: 'The Lonely Anchor carried salt to Osaka', passages: [{ start: 0, end: text.length, verified: false }] });
  // In its own words, or with a word that is nowhere, it is.
  for (const line of ['The Brave Anchor carried salt to Osaka', 'The Brave Anchor carried salt to the port of Osaka']) {
    expect(itemsOf(line, { text, window: { start: 0, end: text.length }, question: '' })[0].passages, line).toEqual([{ start: 0, end: 39, verified: true }]);
  }
});

test('what has a whole sentence in it stays, whatever it is introduced by and is like', () => {
  const text = 'The Doctor went to the window.\n\nThe Lonely Comet carried salt to Osaka.\n\nThe Golden Lantern carried glass to Madras.';
  const window = { start: 0, end: text.length };
  const textsOf = (answer: string) => itemsOf(answer, { text, window, question: '' }).map((item) => item.text);
  const mixed = 'The words of the Doctor: "The Lonely Comet carried glass to Madras."';
  const whole = 'The words of the Doctor: "The Golden Lantern carried glass to Madras."';
  // Half of its words are in the one before, which mixes two sentences and goes.
  expect(textsOf(`${mixed}\n${whole}`)).toEqual([whole]);
  expect(textsOf(`${whole}\n${mixed}`)).toEqual([whole]);
  // The name is from elsewhere: it is not cited at the sentence.
  expect(itemsOf(whole, { text, window, question: '' })[0].passages).toEqual([{ ...window, verified: false }]);
  // It is there once, and not beside what says the sentence better.
  expect(textsOf(`${whole}\nThe deeds of the Doctor: "The Golden Lantern carried glass to Madras."`)).toEqual([whole]);
  expect(textsOf(`${whole}\nThe Golden Lantern carried glass to Madras`)).toEqual(['The Golden Lantern carried glass to Madras']);
  // Another sentence is another item, however much alike they are.
  const other = 'The words of the Doctor: "The Golden Comet carried glass to Madras."';
  const longer = `${text}\n\nThe Golden Comet carried glass to Madras.`;
  const both = itemsOf(`${whole}\n${other}`, { text: longer, window: { start: 0, end: longer.length }, question: '' });
  expect(both.map((item) => item.text)).toEqual([whole, other]);
});

test('every record is found once, cited where it stands, through an interruption, a pause and a restart', async () => {
  const dataFolder = temporaryFolder();
  const first = await openTestHostWithModel({ dataFolder });
  const { id, windows } = await begun(first);
  expect(windows.length).toBeGreaterThan(5);
  await eventually(() => first.sweeps.list()[0].windows.filter(({ state }) => state !== 'waiting').length >= 2);
  // A question goes first.
  const conversation = first.conversations.create({}, { systemPrompt: '', sampling: first.settings.read().defaultSampling });
  const { answer } = first.chat.send(conversation.id, 'count 3');
  await eventually(() => first.messages.get(answer.id).state === 'complete');
  const paused = await first.sweeps.pause(id);
  expect(paused.state).toBe('paused');
  expect(paused.windows.some(({ state }) => state === 'waiting')).toBe(true);
  await first.close();

  const second = await openTestHostWithModel({ dataFolder });
  second.begin();
  expect(second.sweeps.list()[0]).toEqual(paused);
  second.sweeps.resume(id);
  const done = await ended(second, id);
  expect(done.state).toBe('done');
  expect(done.windows.every(({ state }) => state === 'gave' || state === 'empty')).toBe(true);
  expect(done.items.map(({ text }) => text)).toEqual(records);
  for (const { text, passages } of done.items) for (const { start, end, verified } of passages) expect([verified, book.slice(start, end)]).toEqual([true, text]);
  expect(done.items[0].passages.length).toBe(2);
  await second.sweeps.remove(id);
  expect(second.sweeps.list()).toEqual([]);
  expect(await failureOf(() => second.sweeps.pause(id))).toMatchObject({ code: 'sweep-not-found' });
});
