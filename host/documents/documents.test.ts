import { chmodSync, createWriteStream, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { once } from 'node:events';
import { truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { assert, asyncProperty, integer, nat, string } from 'fast-check';
import { expect, test } from 'vitest';
import { failureOf } from '../testing/failureOf.ts';
import { openTestHostWithModel } from '../testing/openTestHost.ts';
import { temporaryFolder } from '../testing/temporaryFolder.ts';
import { Database } from '../storage/database.ts';
import { DocumentLibrary } from './documentLibrary.ts';
import { parseFile } from './addDocument.ts';
import { fixturePath } from './testing/parseFixture.ts';

function openLibrary() {
  const folder = temporaryFolder();
  const texts = join(folder, 'documents');
  const staging = join(folder, 'staging');
  mkdirSync(texts);
  mkdirSync(staging);
  const library = new DocumentLibrary(Database.open(join(folder, 'longleaf.sqlite'), folder), { documents: texts, staging });
  const add = (name: string, content: string | Uint8Array) => {
    writeFileSync(join(folder, name), content);
    return library.addFile(join(folder, name), name);
  };
  return { folder, texts, staging, library, add };
}

async function textOf(library: DocumentLibrary, id: string): Promise<string> {
  const { characters } = library.get(id);
  return (await library.text(id, 0, characters)).text;
}

test('a text is kept as UTF-8 with one kind of line end', async () => {
  const { library, add } = openLibrary();
  const added = await add('book.txt', 'one\r\ntwo\rthree\nfour 😀\r');
  expect(added).toMatchObject({ name: 'book.txt', format: 'text', characters: 22, notices: [] });
  expect(await textOf(library, added.id)).toBe('one\ntwo\nthree\nfour 😀\n');
  expect(readFileSync(library.textPath(added.id), 'utf8')).toBe('one\ntwo\nthree\nfour 😀\n');
  expect((await add('notes.md', '# Title')).format).toBe('markdown');
  expect(library.list().map(({ name }) => name)).toEqual(['notes.md', 'book.txt']);
  await library.remove(added.id);
  expect(library.list().map(({ name }) => name)).toEqual(['notes.md']);
});

test('an encoding that was assumed, and what was replaced, is said', async () => {
  const { library, add } = openLibrary();
  const utf16 = await add('utf16.txt', Buffer.from('\uFEFFGrüße', 'utf16le'));
  expect(await textOf(library, utf16.id)).toBe('Grüße');
  expect(utf16.notices).toEqual(['Read as UTF-16 (little-endian), as its byte order mark says.']);

  const bigEndian = await add('utf16be.txt', Buffer.from('\uFEFFGrüße', 'utf16le').swap16());
  expect(await textOf(library, bigEndian.id)).toBe('Grüße');

  const marked = await add('bom.txt', '\uFEFFGrüße');
  expect(await textOf(library, marked.id)).toBe('Grüße');
  expect(marked.notices).toEqual([]);

  const latin = await add('latin.txt', Buffer.from('Voilà, l’été – “déjà vu” caf\xe9'.replaceAll(/[–“”’]/g, "'"), 'latin1'));
  expect(await textOf(library, latin.id)).toBe("Voilà, l'été ' 'déjà vu' café");
  expect(latin.notices).toEqual(['This file is not valid UTF-8; it was read as Windows-1252 (Western European, a superset of Latin-1).']);

  const broken = await add('broken.txt', Buffer.concat([Buffer.from('Grüße aus München, schöne Küche'), Buffer.from([0xff]), Buffer.from(' \uFFFD')]));
  expect(await textOf(library, broken.id)).toBe('Grüße aus München, schöne Küche\uFFFD \uFFFD');
  expect(broken.notices).toEqual(['1 invalid UTF-8 sequence was replaced by “\uFFFD”.']);
});

test('bad input is refused with what, why and what to do', async () => {
  const { folder, texts, staging, library, add } = openLibrary();
  mkdirSync(join(folder, 'chapter.txt'));
  expect(await failureOf(() => library.addFile(join(folder, 'chapter.txt'), 'chapter.txt'))).toMatchObject({ code: 'document-empty', message: '“chapter.txt” is empty: there is nothing to read in it.' });
  expect(await failureOf(() => library.addFile(join(folder, 'gone.txt'), 'gone.txt'))).toEqual({
    code: 'file-not-found',
    message: 'There is no file “gone.txt”.',
    remedy: 'Check its name and where it is.',
  });
  const empty = { code: 'document-empty', message: '“empty.txt” is empty: there is nothing to read in it.', remedy: 'Choose a file that has text in it.' };
  expect(await failureOf(() => add('empty.txt', ''))).toEqual(empty);
  expect(await failureOf(() => add('empty.txt', ' \r\n\t\n'))).toEqual(empty);
  expect(await failureOf(() => add('picture.txt', Buffer.from('\x89PNG\r\n\x1a\n\0\0\0\rIHDR', 'latin1')))).toEqual({
    code: 'document-binary',
    message: '“picture.txt” is not a text file: byte 9 is zero, which text never contains.',
    remedy: 'Choose a text, PDF, EPUB, Word, Excel, PowerPoint or HTML file, or a folder of code.',
  });
  expect(await failureOf(() => add('noise.txt', Buffer.from([1, 2, 3, 200, 14, 15, 16, 65])))).toMatchObject({
    code: 'document-binary',
    message: '“noise.txt” is not a text file: 6 of its 8 bytes are control characters.',
  });
  expect(await failureOf(() => add('paper.DOC', 'x'))).toEqual({
    code: 'document-format',
    message: '“paper.DOC” is an old Word file, which Longleaf does not read.',
    remedy: 'Save it as .docx and add that file.',
  });
  writeFileSync(join(folder, 'huge.txt'), '');
  await truncate(join(folder, 'huge.txt'), 300_000_000);
  expect(await failureOf(() => library.addFile(join(folder, 'huge.txt'), 'huge.txt'))).toEqual({
    code: 'document-too-large',
    message: '“huge.txt” is 300.0 MB; Longleaf reads documents of up to 256.0 MB.',
    remedy: 'Split it into smaller files.',
  });
  expect(await failureOf(() => library.addText('pasted.txt', 'a\0b'))).toMatchObject({ code: 'document-binary' });
  // Nothing of what was refused stays behind.
  expect(library.list()).toEqual([]);
  expect([...readdirSync(texts), ...readdirSync(staging)]).toEqual([]);
});

test.skipIf(process.platform === 'win32')('an unreadable file is refused', async () => {
  const { folder, library, add } = openLibrary();
  await failureOf(() => add('secret.txt', ''));
  writeFileSync(join(folder, 'secret.txt'), 'hidden');
  const output = mkdtempSync(join(folder, 'out-'));
  chmodSync(join(folder, 'secret.txt'), 0);
  chmodSync(folder, 0o755);
  // Root reads everything: become nobody for a moment.
  const isRoot = process.geteuid?.() === 0;
  if (isRoot) process.seteuid?.(65_534);
  try {
    expect(await failureOf(() => parseFile(join(folder, 'secret.txt'), 'secret.txt', output))).toEqual({
      code: 'file-unreadable',
      message: '“secret.txt” cannot be read: you have no permission to read it.',
      remedy: 'Give yourself read access to the file, or choose another.',
    });
  } finally {
    if (isRoot) process.seteuid?.(0);
  }
  expect(library.list()).toEqual([]);
});

test('a 200 MB text is added in bounded memory, and its pages are read without reading the rest', { timeout: 120_000 }, async () => {
  const { folder, library } = openLibrary();
  const path = join(folder, 'library.txt');
  const file = createWriteStream(path);
  const lineOf = (number: number) => `${String(number).padStart(9, '0')} It was the best of times, it was the wörst of times: 😀😀\r\n`;
  const lineCount = Math.ceil(200_000_000 / Buffer.byteLength(lineOf(0)));
  for (let start = 0; start < lineCount; start += 10_000) {
    const lines = Array.from({ length: Math.min(10_000, lineCount - start) }, (_, index) => lineOf(start + index)).join('');
    if (!file.write(lines)) await once(file, 'drain');
  }
  file.end();
  await once(file, 'finish');

  const before = process.memoryUsage().arrayBuffers + process.memoryUsage().heapUsed;
  let most = before;
  const watch = setInterval(() => {
    const { arrayBuffers, heapUsed } = process.memoryUsage();
    most = Math.max(most, arrayBuffers + heapUsed);
  }, 20);
  const added = await library.addFile(path, 'library.txt');
  clearInterval(watch);
  // A copy of the text would be 200 MB as bytes and 390 MB as a string.
  expect(most - before).toBeLessThan(150_000_000);

  const lineUnits = lineOf(0).length - 1;
  expect(added.characters).toBe(lineCount * lineUnits);
  const middle = Math.floor(lineCount / 2);
  const { text } = await library.text(added.id, middle * lineUnits, (middle + 2) * lineUnits);
  expect(text).toBe((lineOf(middle) + lineOf(middle + 1)).replaceAll('\r', ''));
});

test('any range of any text is what JavaScript would slice', async () => {
  const { library } = openLibrary();
  await assert(
    asyncProperty(string({ unit: 'grapheme', minLength: 1 }), integer({ min: 1, max: 3000 }), nat(), nat(), async (unit, repeats, a, b) => {
      const text = `x${unit.replaceAll('\0', '')}`.repeat(repeats);
      const expected = text.replaceAll(/\r\n?/g, '\n');
      const added = await library.addText('any.txt', text);
      expect(added.characters).toBe(expected.length);
      const [start, end] = [a % (expected.length + 2), b % (expected.length + 2)].sort((x, y) => x - y) as [number, number];
      expect((await library.text(added.id, start, end)).text).toBe(expected.slice(start, end));
      await library.remove(added.id);
    }),
    { numRuns: 60 },
  );
});

test('a range that is too long is refused, not shortened', async () => {
  const { library } = openLibrary();
  const { id } = await library.addText('a.txt', 'abc');
  expect(await failureOf(() => library.text(id, 0, 3_000_000))).toEqual({
    code: 'range-too-long',
    message: '3,000,000 characters were asked for at once; at most 2,000,000 are given.',
    remedy: 'Ask for a shorter range.',
  });
});

test('a document of an earlier version gets its structure when it is first wanted', async () => {
  const { folder, texts, library } = openLibrary();
  const text = `# One\n\n${'Some words. '.repeat(400)}\n\n## Two\n\n${'More words. '.repeat(400)}`;
  const { id } = await library.addText('notes.md', text);
  const fresh = await library.structure(id);
  expect(fresh.headings.map(({ title, page }) => [title, page])).toEqual([['One', 0], ['Two', 1]]);
  rmSync(join(texts, `${id}.jsonl`));
  const database = Database.open(join(folder, 'longleaf.sqlite'), folder);
  database.run('DELETE FROM document_pages');
  database.run('UPDATE documents SET structure_version = 0, kept_bytes = 0');
  database.close();
  expect(library.get(id)).toMatchObject({ pages: 0, keptBytes: text.length });
  const [found] = await Promise.all([library.structure(id), library.page(id, 1)]);
  expect(found).toEqual(fresh);
  expect(library.get(id).pages).toBe(fresh.pages.length);
});

test('a PDF is kept beside its text; its characters, pages, boxes and bytes are served', async () => {
  const { texts, library } = openLibrary();
  const original = readFileSync(fixturePath('office.pdf'));
  const { id, pages, keptBytes, unit, sizeBytes } = await library.addFile(fixturePath('office.pdf'), 'office.pdf');
  const files = readdirSync(texts).map((file) => [file.slice(id.length), statSync(join(texts, file)).size] as const);
  expect(files.map(([ending]) => ending).sort()).toEqual(['.jsonl', '.pdf', '.txt']);
  expect({ pages, unit, keptBytes }).toEqual({ pages: 4, unit: 'page', keptBytes: files.reduce((sum, [, bytes]) => sum + bytes, 0) });
  expect(sizeBytes).toBeLessThan(10_000);

  const whole = await textOf(library, id);
  const start = whole.indexOf('tumbling down stairs');
  const [place] = await library.locate(id, start, start + 20);
  expect(place?.boxes.map((box) => whole.slice(box.start, box.end)).join('')).toBe('tumbling down stairs');
  const page = await library.page(id, place?.page ?? -1);
  expect(page.text).toBe(whole.slice(page.start, page.start + page.text.length));
  expect(page.text).toContain('tumbling down stairs');
  // A span that crosses pages has a place on each.
  const { pages: list } = await library.structure(id);
  const places = await library.locate(id, 0, whole.length);
  expect(places.map((each) => each.page)).toEqual([0, 1, 2, 3]);
  expect(places.map((each) => [each.start, each.end])).toEqual(list.map((each) => [each.start, each.end]));

  const pieces: Buffer[] = [];
  for (let at = 0; at < original.length; at += 20_000) pieces.push(Buffer.from((await library.fileRange(id, at, at + 20_000)).base64, 'base64'));
  expect(Buffer.concat(pieces).equals(original)).toBe(true);
  expect(await failureOf(() => library.page(id, 4))).toEqual({ code: 'document-no-pages', message: 'This document has no page 5.', remedy: 'Ask for one that it has.' });
  await library.remove(id);
  expect(readdirSync(texts)).toEqual([]);
});

test('characters of a document are tokens of a model, counted from the document’s first', async () => {
  const host = await openTestHostWithModel();
  const { id: documentId } = await host.documents.addText('words.txt', 'one two three four');
  const modelId = host.models.list()[0]?.id ?? '';
  expect(await host.handlers['documents.tokenRange']({ documentId, modelId, start: 4, end: 13 })).toEqual({ start: 1, end: 3, tokens: 4 });
  expect(await failureOf(() => host.handlers['documents.tokenRange']({ documentId: 'gone', modelId, start: 0, end: 1 }))).toMatchObject({ code: 'document-not-found' });
});
