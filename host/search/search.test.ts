import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { openTestHost, openTestHostWithModel } from '../testing/openTestHost.ts';
import { eventually } from '../testing/eventually.ts';
import { passagesOf } from './passages.ts';
import { snippetOf } from './snippet.ts';
import { searchTerms } from './words.ts';

const plain = (pieces: { text: string; found: boolean }[]) => pieces.map(({ text, found }) => (found ? `[${text}]` : text)).join('');

describe('queries', () => {
  it.each([
    ['whale', '"whale" *'],
    ['the white ox ', '"the" * AND "white" * AND "ox"'],
    ['ox', '"ox" *'],
    ['"white whale" ahab', '"white whale" AND "ahab" *'],
    ['図書館', '"図 書 館"'],
    ['C++ OR', '"C" AND "OR" *'],
    ['a"b', '"a" AND "b"'],
  ])('%j', (query, expression) => {
    expect(searchTerms(query)?.expressions.at(-1)).toBe(expression);
  });

  it('that hold no word find nothing', () => {
    expect([searchTerms(''), searchTerms('  "" *'), searchTerms('()')]).toEqual([null, null, null]);
  });

  it('are never a syntax error', async () => {
    const { search } = await openTestHost();
    await fc.assert(fc.asyncProperty(fc.string({ unit: fc.constantFrom(...'ab"*^():-+ \'é図OR\0'), maxLength: 20 }), async (query) => void (await search.query(query, 5))), { numRuns: 300 });
  });
});

describe('snippets', () => {
  it('mark what was found, whatever its case and accents', () => {
    expect(plain(snippetOf('The Café was closed; the cafés were not.', ['cafe']))).toBe('The [Café] was closed; the [café]s were not.');
  });

  it('begin near the first place', () => {
    const found = plain(snippetOf(`${'word '.repeat(100)}whale ${'word '.repeat(100)}`, ['whale']));
    expect(found).toMatch(/^…(word )+\[whale\] (word )+/);
    expect(found.length).toBeLessThan(220);
    expect(found.endsWith('…')).toBe(true);
  });

  it('mark the beginning of words only', () => {
    expect(plain(snippetOf('start art', ['art']))).toBe('start [art]');
    expect(plain(snippetOf('市立図書館', ['図書']))).toBe('市立[図書]館');
  });
});

it('passages cover the text in order, and pieces of a text add up to the whole', () => {
  fc.assert(
    fc.property(fc.array(fc.string({ unit: fc.constantFrom('word ', 'a', '. ', '\n', '\n\n', '😀', '図'), maxLength: 900 }), { maxLength: 6 }), fc.integer({ min: 1500, max: 3000 }), (texts, piece) => {
      const text = texts.join('');
      let done = 0;
      let joined = '';
      while (done < text.length) {
        const wanted = Math.min(text.length, done + piece);
        const passages = passagesOf(text.slice(done, wanted), wanted === text.length);
        expect(passages.length).toBeGreaterThan(0);
        for (const { start, end } of passages) {
          expect(done + start).toBe(joined.length);
          expect(end - start).toBeLessThanOrEqual(1410);
          joined += text.slice(done + start, done + end);
        }
        done = joined.length;
      }
      expect(joined).toBe(text);
    }),
    { numRuns: 60 },
  );
});

it('chats are found by title, question and answer once it has ended, and no more when they are gone', async () => {
  const host = await openTestHostWithModel();
  const { handlers, conversations, chat, messages } = host;
  const { id } = conversations.create({ title: 'Über Wale' }, { systemPrompt: '', sampling: host.settings.read().defaultSampling });
  const { question, answer } = chat.send(id, 'What does Ahab count 3');
  await eventually(() => messages.get(answer.id).state === 'complete');
  expect((await host.search.query('uber', 5)).chats).toMatchObject([{ conversationId: id, title: 'Über Wale' }]);
  const found = await host.search.query('aha', 5);
  expect(found.messages).toMatchObject([{ conversationId: id, messageId: question.id, role: 'user', title: 'Über Wale' }]);
  expect((await host.search.query('2 3', 5)).messages).toMatchObject([{ messageId: answer.id, role: 'assistant' }]);
  await handlers['conversations.update']({ conversationId: id, title: 'Whales' });
  expect((await host.search.query('wale', 5)).chats).toEqual([]);
  expect((await host.search.query('whales', 5)).chats).toHaveLength(1);
  await handlers['conversations.remove']({ conversationId: id });
  for (const query of ['ahab', '2 3', 'whales']) expect(await host.search.query(query, 5)).toMatchObject({ chats: [], messages: [] });
});

it('documents are found by passage, with where it stands, and no more when they are gone', async () => {
  const host = await openTestHost();
  const text = `${'Call me whatever. '.repeat(9000)}The harpooneer sleeps. ${'And so on. '.repeat(200)}東京都立図書館で読む。`;
  const { id } = await host.documents.addText('Book.txt', text);
  await host.documentIndex.catchUp();
  const { documents, documentsWaiting } = await host.search.query('harpoon', 5);
  expect(documentsWaiting).toBe(0);
  expect(documents).toHaveLength(1);
  const [{ documentId, name, start, end } = { documentId: '', name: '', start: 0, end: 0 }] = documents;
  expect([documentId, name]).toEqual([id, 'Book.txt']);
  expect(text.slice(start, end)).toContain('The harpooneer sleeps.');
  expect((await host.search.query('図書館', 5)).documents).toHaveLength(1);
  await host.handlers['documents.remove']({ documentId: id });
  expect((await host.search.query('harpoon', 5)).documents).toEqual([]);
});
