import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { answerFromBundle, isBundleUrl } from './bundle.ts';

let folder: string;

beforeAll(() => {
  const parent = mkdtempSync(join(tmpdir(), 'longleaf-bundle-'));
  folder = join(parent, 'renderer');
  mkdirSync(join(folder, 'assets'), { recursive: true });
  mkdirSync(join(parent, 'renderer-old'));
  writeFileSync(join(folder, 'index.html'), '<!doctype html>');
  writeFileSync(join(folder, 'assets', 'a b.js'), 'export {};');
  writeFileSync(join(folder, 'secret.key'), 'not a type that is served');
  writeFileSync(join(parent, 'outside.js'), 'outside');
  writeFileSync(join(parent, 'renderer-old', 'outside.js'), 'outside');
});

test.each([
  ['app://bundle/', 'text/html; charset=utf-8'],
  ['app://bundle/index.html', 'text/html; charset=utf-8'],
  ['app://bundle/index.html?query#hash', 'text/html; charset=utf-8'],
  ['app://bundle/assets/a%20b.js', 'text/javascript; charset=utf-8'],
])('serves %s', async (url, contentType) => {
  const answer = await answerFromBundle(folder, url);
  expect(answer.status).toBe(200);
  expect(answer.headers['Content-Type']).toBe(contentType);
});

test.each([
  'app://bundle/../outside.js',
  'app://bundle/%2e%2e/outside.js',
  'app://bundle/..%2foutside.js',
  'app://bundle/..%5coutside.js',
  'app://bundle/assets/..%2f..%2foutside.js',
  'app://bundle/..%2frenderer-old%2foutside.js',
  'app://bundle/%00index.html',
  'app://bundle/%E0%A4%A',
  'app://bundle/missing.js',
  'app://bundle/assets',
  'app://bundle/secret.key',
  'app://other/index.html',
  'https://bundle/index.html',
  'not a url',
])('refuses %s', async (url) => {
  const answer = await answerFromBundle(folder, url);
  expect(answer.status).toBe(404);
  expect(answer.body.toString()).toBe('Not found');
});

test('every answer carries the content security policy', async () => {
  for (const url of ['app://bundle/index.html', 'app://bundle/missing.js']) {
    const { headers } = await answerFromBundle(folder, url);
    expect(headers).toMatchObject({
      'Cross-Origin-Opener-Policy': 'same-origin',
      'Cross-Origin-Embedder-Policy': 'require-corp',
      'X-Content-Type-Options': 'nosniff',
    });
    const policy = headers['Content-Security-Policy'];
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain("require-trusted-types-for 'script'");
    expect(policy).not.toMatch(/unsafe-inline|unsafe-eval'(?<!wasm-unsafe-eval')|https?:|\*/);
  }
});

test('only pages of the bundle may talk to main', () => {
  expect(isBundleUrl('app://bundle/index.html#/settings')).toBe(true);
  expect(isBundleUrl('app://bundle.example/index.html')).toBe(false);
  expect(isBundleUrl('app://user@bundle:1/')).toBe(false);
  expect(isBundleUrl('file:///index.html')).toBe(false);
  expect(isBundleUrl('')).toBe(false);
});
