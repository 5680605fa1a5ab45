import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { readArguments, readLink } from './opening.ts';

test('links show a screen or a chat', () => {
  expect(readLink('longleaf://memories')).toEqual({ kind: 'screen', screen: 'memories' });
  expect(readLink('longleaf://settings/')).toEqual({ kind: 'screen', screen: 'settings' });
  expect(readLink('longleaf://chat/a1-b_2')).toEqual({ kind: 'conversation', conversationId: 'a1-b_2' });
});

test.each([
  'longleaf://download/model',
  'longleaf://chat/../settings',
  'longleaf://chat/a%2fb',
  'longleaf://chat/a/b',
  'longleaf://models?import=/etc/passwd',
  'longleaf://models#x',
  'longleaf://user@models',
  'longleaf://models:80',
  'longleaf:',
  'https://models',
  'file:///etc/passwd',
  '',
])('“%s” opens nothing', (link) => expect(readLink(link)).toBeUndefined());

test('a command line opens its files and links, and nothing else', () => {
  const folder = mkdtempSync(join(tmpdir(), 'longleaf-opening-'));
  writeFileSync(join(folder, 'model.gguf'), 'GGUF');
  expect(readArguments(['--no-sandbox', '.', folder, 'model.gguf', 'gone.gguf', '--model.gguf', 'longleaf://models'], folder)).toEqual({
    paths: [join(folder, 'model.gguf')],
    links: ['longleaf://models'],
  });
});
