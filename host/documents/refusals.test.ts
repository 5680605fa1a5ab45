/** Documents that misbehave: each is refused, or loses what is bad about it, in exactly these words. */
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { failureOf } from '../testing/failureOf.ts';
import { temporaryFolder } from '../testing/temporaryFolder.ts';
import { zip } from '../testing/zip.ts';
import type { ParserOptions } from './parserProcess.ts';
import { parsed } from './testing/parseFixture.ts';
import { bomb, epubWith, pdfWith } from './testing/refusing.ts';

function parsedBytes(name: string, content: string | Buffer, options?: ParserOptions) {
  const path = join(temporaryFolder(), name);
  writeFileSync(path, content);
  return parsed(path, name, options);
}

const refusalOf = (name: string, content: string | Buffer, options?: ParserOptions) => failureOf(() => parsedBytes(name, content, options));
const trusted = 'Add it only if you trust where it comes from, exported as plain text.';
const whole = 'Open it in its own program to see whether it is whole; saving it again there may mend it.';

test('external entities, in any part', async () => {
  const chapter = '<!DOCTYPE html [<!ENTITY passwd SYSTEM "file:///etc/passwd">]><html><body><p>&passwd;</p></body></html>';
  expect(await refusalOf('evil.epub', epubWith(chapter))).toEqual({
    code: 'document-hostile',
    message: '“evil.epub” was refused: its part “c.xhtml” declares entities, which can ask for other files or grow without end.',
    remedy: trusted,
  });
  const laughs = zip({ 'word/document.xml': Buffer.from('<!DOCTYPE d [<!ENTITY a "ha"><!ENTITY b "&a;&a;">]><w:document/>') });
  expect(await refusalOf('laughs.docx', laughs)).toMatchObject({ message: '“laughs.docx” was refused: its part “word/document.xml” declares entities, which can ask for other files or grow without end.' });
});

test('zip bombs: by their ratio, by what they hold together, by their parts', async () => {
  expect(await refusalOf('bomb.docx', bomb(30_000_000))).toEqual({
    code: 'document-hostile',
    message: '“bomb.docx” was refused: it unpacks to 1,028 times its size (a “zip bomb”); at most 200 times is read.',
    remedy: trusted,
  });
  expect(await refusalOf('large.docx', bomb(30_000_000, 40))).toMatchObject({ message: '“large.docx” was refused: it unpacks to more than 1.0 GB (it is a “zip bomb”, or far too large).' });
  const many = zip(Object.fromEntries(Array.from({ length: 20_001 }, (_, index) => [`${index}`, Buffer.alloc(0)])));
  expect(await refusalOf('many.epub', many)).toMatchObject({ message: '“many.epub” was refused: it says that it has 20,001 parts; at most 20,000 are read.' });
});

test('a part that unpacks to more than is read of one, however harmless the archive as a whole', async () => {
  const packed = zip({ 'word/document.xml': Buffer.alloc(2_000_000, 1) });
  const directory = packed.lastIndexOf('PK\x01\x02');
  // What the directory says of it: deflated, and as large as that.
  packed.writeUInt16LE(8, directory + 10);
  packed.writeUInt32LE(257_000_000, directory + 24);
  expect(await refusalOf('part.docx', packed)).toMatchObject({
    code: 'document-hostile',
    message: '“part.docx” was refused: its part “word/document.xml” unpacks to 257.0 MB; at most 256.0 MB are read.',
  });
});

test('names that lead out of the archive', async () => {
  expect(await refusalOf('slip.epub', epubWith('<p>x</p>', { '../../etc/cron.d/job': 'x' }))).toEqual({
    code: 'document-hostile',
    message: '“slip.epub” was refused: it has a part named “../../etc/cron.d/job”, which leads out of the file.',
    remedy: trusted,
  });
  expect(await refusalOf('root.epub', epubWith('<p>x</p>', { '/etc/passwd': 'x' }))).toMatchObject({ message: '“root.epub” was refused: it has a part named “/etc/passwd”, which leads out of the file.' });
});

test('scripts and remote loads: the text is read, they are not run and not fetched, and it is said', async () => {
  let requests = 0;
  const server = createServer((_request, response) => {
    requests += 1;
    response.end();
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const body = `<script src="${address}/a.js"></script><script>document.body.textContent = 'changed'</script><p onclick="leave()">Plain words.</p><img src="${address}/b.png"><iframe src="${address}/c"></iframe><link rel="stylesheet" href="${address}/d.css">`;
  const notices = ['3 scripts in it were not run.', '4 things that it would load from the network were not fetched.'];
  const page = await parsedBytes('page.html', `<!doctype html><html><body>${body}</body></html>`);
  expect({ text: page.text, notices: page.document.notices }).toEqual({ text: 'Plain words.', notices });
  const book = await parsedBytes('book.epub', epubWith(`<html><body>${body.replaceAll(/(<(?:img|link)[^>]*)>/g, '$1/>')}</body></html>`));
  expect({ text: book.text, notices: book.document.notices }).toEqual({ text: 'Plain words.', notices });
  const paper = await parsedBytes('paper.pdf', pdfWith('BT /F1 12 Tf 72 700 Td (Plain words.) Tj ET', `/OpenAction << /S /JavaScript /JS (app.launchURL\\("${address}"\\)) >>`));
  expect({ text: paper.text, notices: paper.document.notices }).toEqual({ text: 'Plain words.', notices: ['Scripts in it were not run.'] });
  expect(requests).toBe(0);
});

test('a password, pictures of pages, damage', async () => {
  expect(await refusalOf('scan.pdf', pdfWith('0 0 612 792 re f'))).toEqual({
    code: 'document-no-text',
    message: '“scan.pdf” holds no text: its 1 page is a picture.',
    remedy: 'Run it through a text recognition program (OCR) and add the result.',
  });
  const locked = Buffer.concat([Buffer.from([0xd0, 0xcf, 0x11, 0xe0]), Buffer.alloc(2000)]);
  expect(await refusalOf('locked.xlsx', locked)).toEqual({
    code: 'document-encrypted',
    message: '“locked.xlsx” is protected with a password.',
    remedy: 'Open it in its own program, save it without a password, and add that file.',
  });
  expect(await refusalOf('torn.pdf', '%PDF-1.7 and nothing else')).toEqual({ code: 'document-damaged', message: '“torn.pdf” cannot be read: Invalid PDF structure.', remedy: whole });
  expect(await refusalOf('torn.docx', 'PK\x03\x04 and nothing else')).toMatchObject({
    code: 'document-damaged',
    message: '“torn.docx” cannot be read: End of central directory record signature not found. Either not a zip file, or file is truncated.',
  });
  expect(await refusalOf('empty.epub', epubWith('<html><body><img src="a.png"/></body></html>'))).toMatchObject({ code: 'document-empty' });
});

/** A parser that does as it is told instead of parsing. */
function misbehaving(program: string): string {
  const entry = join(temporaryFolder(), 'parser.mjs');
  writeFileSync(entry, `process.once('message', async ({ path, output }) => { ${program} });`);
  return entry;
}

test('a parser that takes too long, or too much memory, is killed', async () => {
  const slow = { entry: misbehaving('for (;;) {}'), limits: { silentMs: 400 } };
  expect(await refusalOf('slow.pdf', 'x', slow)).toEqual({
    code: 'document-too-slow',
    message: '“slow.pdf” could not be read in time: its parser got nowhere for 0.4 s.',
    remedy: 'Split it into smaller files, or export it as plain text and add that.',
  });
  const busy = { entry: misbehaving("setInterval(() => process.send({ kind: 'progress', done: 1, total: 2 }), 50)"), limits: { withinMs: 1000 } };
  expect(await refusalOf('long.pdf', 'x', busy)).toMatchObject({ message: '“long.pdf” could not be read in time: it took longer than 1 s.' });
  const greedy = { entry: misbehaving("const kept = []; for (;;) kept.push('x'.repeat(1000) + kept.length)"), limits: { heapBytes: 64 * 1024 ** 2 } };
  expect(await refusalOf('greedy.pdf', 'x', greedy)).toEqual({
    code: 'document-too-much-memory',
    message: '“greedy.pdf” could not be read: it needs more than 67.1 MB of memory.',
    remedy: 'Split it into smaller files, or export it as plain text and add that.',
  });
});

test.skipIf(process.platform !== 'linux')('memory beside JavaScript’s own is limited, too', async () => {
  const greedy = { entry: misbehaving('const kept = []; setInterval(() => kept.push(Buffer.alloc(32 * 1024 ** 2, 1)), 20)'), limits: { residentBytes: 256 * 1024 ** 2 } };
  expect(await refusalOf('greedy.pdf', 'x', greedy)).toMatchObject({ message: '“greedy.pdf” could not be read: it needs more than 268.4 MB of memory.' });
});

test('the parser reads its document, writes its folder, and can do nothing else', async () => {
  const program = `
    const { readFileSync, writeFileSync } = await import('node:fs');
    const { spawnSync } = await import('node:child_process');
    const { Worker } = await import('node:worker_threads');
    const tried = {
      document: () => readFileSync(path),
      output: () => writeFileSync(output + '/a', 'x'),
      secret: () => readFileSync('/etc/hostname'),
      beside: () => writeFileSync(path + '.b', 'x'),
      program: () => spawnSync('true'),
      thread: () => new Worker('', { eval: true }),
      code: () => new Function('return 1')(),
    };
    const outcome = Object.entries(tried).map(([name, attempt]) => { try { attempt(); return name + ' done'; } catch (error) { return name + ' ' + (error.code ?? error.name); } });
    const failure = { code: 'told', message: outcome.join(', '), remedy: JSON.stringify(process.env) };
    process.send({ kind: 'failed', failure }, () => process.exit(0));`;
  expect(await refusalOf('any.pdf', 'x', { entry: misbehaving(program) })).toMatchObject({
    message: 'document done, output done, secret ERR_ACCESS_DENIED, beside ERR_ACCESS_DENIED, program ERR_ACCESS_DENIED, thread ERR_ACCESS_DENIED, code EvalError',
  });
});
