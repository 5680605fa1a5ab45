/** What a packaged Longleaf is made of: its fuses, and nothing in it that does not belong there. */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { listPackage } from '@electron/asar';
import { FuseV1Options, getCurrentFuseWire } from '@electron/fuses';
import { expect, test } from '@playwright/test';
import { required } from './harness/runningApp.ts';

const executable = () => required('LONGLEAF_TEST_ELECTRON');
const resources = () => join(dirname(executable()), 'resources');

test('the fuses of the executable are blown', async () => {
  const wire = await getCurrentFuseWire(executable());
  // As the wire writes them: “0” and “1”.
  const [DISABLE, ENABLE] = [48, 49];
  expect(wire).toMatchObject({
    [FuseV1Options.RunAsNode]: DISABLE,
    [FuseV1Options.EnableNodeOptionsEnvironmentVariable]: DISABLE,
    [FuseV1Options.EnableCookieEncryption]: ENABLE,
    [FuseV1Options.EnableEmbeddedAsarIntegrityValidation]: ENABLE,
    [FuseV1Options.OnlyLoadAppFromAsar]: ENABLE,
    [FuseV1Options.LoadBrowserProcessSpecificV8Snapshot]: DISABLE,
    // The one that Playwright needs; `npm run package` without --test blows it, too.
    [FuseV1Options.EnableNodeCliInspectArguments]: ENABLE,
  });
});

test('the app carries what it runs, and nothing else', () => {
  expect(readdirSync(resources()).sort()).toEqual(['app.asar', 'gguf.xml', 'host', 'runtime']);
  expect(readdirSync(join(resources(), 'runtime'))).toEqual(['node']);
  const host = join(resources(), 'host');
  expect(readdirSync(host).sort()).toEqual(['assets', 'dist', 'node_modules', 'package.json']);
  expect(readdirSync(join(host, 'node_modules', 'webgpu', 'dist'))).toEqual([`linux-${process.arch}`]);

  const archived = listPackage(join(resources(), 'app.asar'), { isPack: false });
  expect(new Set(archived.map((path) => path.split('/')[1]))).toEqual(new Set(['assets', 'dist', 'package.json']));
  const files = [...archived, ...filesIn(host)];
  expect(files.filter((path) => /\.(map|ts|tsx)$|\.test\.|llama-peer|playwright|vitest/.test(path))).toEqual([]);
});

test('every licence of what is shipped comes along, with its text', () => {
  const licences = JSON.parse(readFileSync(join(resources(), 'host', 'dist', 'licences.json'), 'utf8')) as { name: string; licence: string; text: string }[];
  expect(licences.map(({ name }) => name)).toEqual(expect.arrayContaining(['react', 'webgpu', 'pdfjs-dist', 'Node.js', 'Electron', '@fontsource-variable/inter']));
  expect(licences.filter(({ text, licence }) => text.length < 20 || licence === 'unknown')).toEqual([]);
  expect(readdirSync(dirname(executable()))).toEqual(expect.arrayContaining(['LICENSES.chromium.html']));
});

function filesIn(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true }).flatMap((entry) => (entry.isFile() ? [join(entry.parentPath, entry.name)] : []));
}
