import { readFileSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { eventually } from '../testing/eventually.ts';
import { failureOf } from '../testing/failureOf.ts';
import { openTestHostWithModel } from '../testing/openTestHost.ts';
import { temporaryFolder } from '../testing/temporaryFolder.ts';
import { LogFile } from './logFile.ts';
import { Redaction } from './redaction.ts';

test('names, paths, keys and what was looked for are taken out; the rest stays', () => {
  const redaction = new Redaction(() => ['Merger of A and B.pdf', 'Merger', 'a'], '/data/longleaf');
  expect(redaction.apply('reading “Merger of A and B.pdf” failed: ENOSPC at /data/longleaf/memories/1')).toBe('reading “‹name›” failed: ENOSPC at ‹data folder›/memories/1');
  expect(redaction.apply('Merger of A and B.pdf, about the Merger')).toBe('‹name›, about the ‹name›');
  expect(redaction.apply(`at open (${homedir()}/books/x.txt:12:3)`)).not.toContain('books');
  expect(redaction.apply('at file:///usr/lib/node.js:12:3')).toContain('node.js:12:3');
  expect(redaction.apply('C:\\Users\\Jane\\book.pdf')).toBe('‹path›');
  expect(redaction.apply('Bearer ll-0123456789abcdef hf_ABCDEFGHIJKL')).toBe('Bearer ‹key› ‹key›');
  expect(redaction.apply('GET https://hub.example/search?q=cancer')).toBe('GET https://hub.example/…');
  expect(redaction.apply('worker-died: signal SIGKILL after 12 s')).toBe('worker-died: signal SIGKILL after 12 s');
});

test('the log is private, bounded and readable', () => {
  const folder = join(temporaryFolder(), 'logs');
  const log = new LogFile(folder, new Redaction(() => ['Secret plan'], '/nowhere'));
  for (let index = 0; index < 6000; index += 1) log.note('host', 'noted', `${index} ${'x'.repeat(100)}`);
  log.note('worker', 'died', 'while reading Secret plan\nline two');
  expect((statSync(folder).mode & 0o777).toString(8)).toBe('700');
  expect((statSync(join(folder, 'longleaf.log')).mode & 0o777).toString(8)).toBe('600');
  expect(statSync(join(folder, 'longleaf.log')).size).toBeLessThan(600_000);
  expect(log.read(2)).toEqual([expect.stringMatching(/^\d{4}-\S+ worker died while reading ‹name›$/), '    line two']);
  expect(log.read(5)).toHaveLength(5);
});

test('names are looked up once for however many lines', () => {
  let asked = 0;
  const redaction = new Redaction(() => {
    asked += 1;
    return ['Tiptonia', 'Tiptonia v. Crown', 'Tiptonia'];
  }, '/data');
  expect(redaction.applyToLines(['read Tiptonia v. Crown', 'an open “quotation', 'Tiptonia” again'])).toEqual(['read ‹name›', 'an open “quotation', '‹name›” again']);
  expect(asked).toBe(1);
});

test('the report says how things are, and nothing of what was read or asked', async () => {
  const host = await openTestHostWithModel();
  const secrets = ['Tiptonia', 'Gwendolen', 'ardently'];
  const document = await host.documents.addText('Tiptonia v. Crown.txt', 'Gwendolen was here.');
  const { id } = host.conversations.create({ title: 'About Tiptonia v. Crown', documentIds: [document.id] }, { systemPrompt: 'Answer ardently.', sampling: host.settings.read().defaultSampling });
  host.settings.update({ defaultSystemPrompt: 'Always ardently.' });
  await host.handlers['chat.send']({ conversationId: id, text: 'What did Gwendolen do?' });
  await eventually(() => host.log.read(100).some((line) => line.includes('answer complete')) || undefined, 20_000);
  await failureOf(async () => host.handlers['readings.start']({ documentId: 'gone', modelId: 'gone' }));
  host.log.note('host', 'failed', `opening “Tiptonia v. Crown.txt” in ${host.folder.documents}`);

  const { text } = await host.handlers['app.diagnostics']({});
  for (const secret of secrets) expect(text).not.toContain(secret);
  expect(text).not.toContain(homedir());
  expect(text).not.toContain(host.folder.root);
  expect(text).toContain('"architecture": "llama"');
  expect(text).toContain('answer complete');
  expect(text).toContain('"documents": 1');

  const written = readFileSync(join(host.folder.logs, 'longleaf.log'), 'utf8');
  for (const secret of secrets) expect(written).not.toContain(secret);
});
