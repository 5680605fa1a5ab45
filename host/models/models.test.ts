import { appendFileSync, mkdirSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { supportedArchitectures } from '../../engine/models/registry.ts';
import { splitModel } from '../../engine/testing/splitModel.ts';
import { tinyModel } from '../../engine/testing/tinyModel.ts';
import type { ModelRecord } from '../contract/entities.ts';
import { failureOf } from '../testing/failureOf.ts';
import { openTestHost, writeTinyModel } from '../testing/openTestHost.ts';
import { temporaryFolder } from '../testing/temporaryFolder.ts';
import { isFileOfCatalogue, needsBoundsChecks } from './boundsChecks.ts';
import { findInCatalogue, readCatalogue } from './catalogue.ts';
import { hashFile } from './hashFile.ts';
import { modelTarget } from './modelTarget.ts';

test('the catalogue is valid and has one starter', () => {
  const catalogue = readCatalogue();
  expect(catalogue.filter((entry) => entry.starter).map(({ id }) => id)).toEqual(['smollm2-135m-instruct-q4_1']);
  expect(new Set(catalogue.map(({ id }) => id)).size).toBe(catalogue.length);
});

test('a catalogue that is not valid is a clear failure', async () => {
  expect(await failureOf(() => readCatalogue([{ id: 'a' }]))).toMatchObject({ code: 'catalogue-invalid', message: expect.stringMatching(/^The model catalogue is not valid: 0\.name /) });
  expect(await failureOf(() => findInCatalogue(readCatalogue(), 'nothing'))).toMatchObject({ message: 'The catalogue has no model “nothing”.' });
});

test('a file is imported by linking it, read, verified and removed', async () => {
  const host = await openTestHost();
  const path = await writeTinyModel(temporaryFolder(), 'Tiny Llama.F16.gguf');
  const model = await host.models.importFile(path, 'Tiny Llama.F16.gguf', 'keep');
  expect(model).toMatchObject({ id: 'tiny-llama-f16', architecture: 'llama', contextTokens: 1024, chat: true, state: 'ready', licence: null });
  expect(model.parameters).toBeGreaterThan(10_000);
  // The same file on the same disk takes no second room.
  expect(statSync(host.models.path(model.id)).ino).toBe(statSync(path).ino);
  expect(await host.models.importFile(path, 'again.gguf', 'keep')).toEqual(model);
  expect(await host.models.verify(model.id)).toEqual({ ok: true, sha256: model.sha256, failure: null });

  const other = await host.models.importFile(await writeTinyModel(temporaryFolder(), 'x.gguf', 2), 'Tiny Llama.F16.gguf', 'move');
  expect(other.id).toBe('tiny-llama-f16-2');

  await host.models.remove(model.id);
  expect(host.models.list().map(({ id }) => id)).toEqual([other.id]);
  expect(readFileSync(path).length).toBe(model.sizeBytes);
});

test('a file that changed, and one that is gone, are told apart and can be mended', async () => {
  const host = await openTestHost();
  const path = await writeTinyModel(temporaryFolder());
  const { id, sha256, name } = await host.models.importFile(path, 'tiny.gguf', 'keep');
  appendFileSync(host.models.path(id), 'x');
  const { ok, sha256: now, failure } = await host.models.verify(id);
  expect(ok).toBe(false);
  expect(failure).toEqual({
    code: 'checksum-mismatch',
    message: `The file of ${name} has changed: its SHA-256 is ${now}, not ${sha256}.`,
    remedy: 'Remove the model and download or import it again.',
  });
  rmSync(host.models.path(id));
  expect(host.models.get(id).state).toBe('missing');
  expect(await failureOf(() => host.models.verify(id))).toEqual({
    code: 'model-missing',
    message: `The file of ${name} (tiny.gguf) is no longer in the models folder.`,
    remedy: 'Import the file again, or remove the model and download it again.',
  });
  await host.models.importFile(await writeTinyModel(temporaryFolder()), 'tiny.gguf', 'keep');
  expect(host.models.list()).toMatchObject([{ id, state: 'ready' }]);
});

test('what the engine cannot run is refused before anything is copied', async () => {
  const host = await openTestHost();
  const folder = temporaryFolder();
  const importing = async (name: string, content?: Uint8Array) => {
    if (content) writeFileSync(join(folder, name), content);
    return failureOf(() => host.models.importFile(join(folder, name), name, 'keep'));
  };
  const whole = tinyModel({ architecture: 'llama', layers: 1 });
  const strange = Buffer.from(whole);
  strange.write('mamba', strange.indexOf('llama'), 'latin1');
  expect(await importing('notes.gguf', Buffer.from('hello'))).toEqual({
    code: 'not-a-gguf',
    message: 'notes.gguf is not a GGUF file: it begins with "hell", not with "GGUF".',
    remedy: 'Choose a model file in the GGUF format.',
  });
  const truncated = async (name: string, bytes: number) => {
    const { code, message, remedy } = await importing(name, whole.subarray(0, bytes));
    expect({ code, remedy }).toEqual({ code: 'gguf-truncated', remedy: 'The download is probably incomplete; download the file again.' });
    return message;
  };
  // In the header, and in the weights of the last tensor.
  expect(await truncated('cut.gguf', 200)).toBe('cut.gguf ends too early: key 5 of 20 needs bytes 188 to 210, but the file has 200 bytes.');
  const lessBytes = whole.length - 1000;
  expect(await truncated('half.gguf', lessBytes)).toMatch(
    new RegExp(`^half\\.gguf ends too early: tensor "[^"]+" needs bytes \\d+ to \\d+, but the file has ${lessBytes} bytes\\.$`),
  );
  expect(await importing('mamba.gguf', strange)).toEqual({
    code: 'unknown-architecture',
    message: 'The model\'s architecture is "mamba", which Longleaf does not know; the nearest that it knows is llama.',
    remedy: `Choose a model of the architecture llama, or another of ${supportedArchitectures.join(', ')}.`,
  });
  mkdirSync(join(folder, 'model.gguf'));
  expect(await importing('model.gguf')).toEqual({
    code: 'file-is-a-directory',
    message: '“model.gguf” is a folder, not a file.',
    remedy: 'Choose the .gguf file inside it.',
  });
  expect(await importing('gone.gguf')).toMatchObject({ code: 'file-not-found', message: 'There is no file “gone.gguf”.' });
  expect(host.models.list()).toEqual([]);
});

test('a file is used where it is, or copied, as one likes; removing the model deletes only what is ours', async () => {
  const host = await openTestHost();
  const folder = temporaryFolder();
  const linkedPath = await writeTinyModel(folder, 'linked.gguf', 11);
  const linked = await host.models.importFile(linkedPath, 'linked.gguf', 'link');
  expect(linked).toMatchObject({ place: folder, owned: false, state: 'ready' });
  expect(host.models.path(linked.id)).toBe(linkedPath);
  const copiedPath = await writeTinyModel(folder, 'copied.gguf', 12);
  const copied = await host.models.importFile(copiedPath, 'copied.gguf', 'copy');
  expect(copied).toMatchObject({ place: null, owned: true });
  expect(statSync(host.models.path(copied.id)).ino).not.toBe(statSync(copiedPath).ino);
  await host.models.remove(linked.id);
  await host.models.remove(copied.id);
  expect(readdirSync(folder).sort()).toEqual(['copied.gguf', 'linked.gguf']);
  expect(readdirSync(host.folder.models)).toEqual([]);
});

test('bounds are checked in shaders but for the very files of the catalogue, as long as they are ours', async () => {
  const path = await writeTinyModel(temporaryFolder());
  const [entry] = readCatalogue();
  const sha256 = await hashFile(path);
  const catalogue = [{ ...entry!, id: 'known', sha256, sizeBytes: statSync(path).size }];
  const host = await openTestHost({ catalogue });
  const checks = (model: ModelRecord) => modelTarget(host.models, model, host.settings.read().kv, null).boundsChecks;
  const linked = await host.models.importFile(path, 'tiny.gguf', 'link');
  expect(checks(linked)).toBe(true);
  await host.models.remove(linked.id);
  expect(checks(await host.models.importFile(path, 'tiny.gguf', 'copy'))).toBe(false);
  // The same size, and other weights.
  const other = await writeTinyModel(temporaryFolder(), 'tiny.gguf', 2);
  expect(checks(await host.models.importFile(other, 'tiny.gguf', 'copy'))).toBe(true);
  expect([await isFileOfCatalogue(path, catalogue), await isFileOfCatalogue(other, catalogue)]).toEqual([true, false]);
});

test('LONGLEAF_BOUNDS_CHECKS decides for every model', async () => {
  onTestFinished(() => void vi.unstubAllEnvs());
  vi.stubEnv('LONGLEAF_BOUNDS_CHECKS', 'on');
  expect(needsBoundsChecks(true)).toBe(true);
  vi.stubEnv('LONGLEAF_BOUNDS_CHECKS', 'off');
  expect(needsBoundsChecks(false)).toBe(false);
  vi.stubEnv('LONGLEAF_BOUNDS_CHECKS', 'maybe');
  expect(await failureOf(() => needsBoundsChecks(true))).toMatchObject({ code: 'usage', message: 'LONGLEAF_BOUNDS_CHECKS is “maybe”.' });
});

test('a path that was typed brings in a file or a folder, kept or used where it is; a window with a dialog may name none', async () => {
  const host = await openTestHost({ takesPaths: true });
  const folder = temporaryFolder();
  await writeTinyModel(folder, 'one.gguf', 21);
  await writeTinyModel(folder, 'two.gguf', 22);
  writeFileSync(join(folder, 'torn.gguf'), 'GGUF');
  const bring = host.handlers['models.importPath'];
  expect(await bring({ path: ` ${join(folder, 'one.gguf')}` })).toEqual({ added: ['one'], failed: [] });
  expect(host.models.get('one')).toMatchObject({ place: null, owned: true });
  expect(await bring({ path: join(folder, 'two.gguf'), how: 'link' })).toEqual({ added: ['two'], failed: [] });
  expect(host.models.get('two')).toMatchObject({ place: folder, owned: false });
  // Those that are here already are not brought in twice.
  expect(await bring({ path: folder })).toMatchObject({ added: ['one', 'two'], failed: [{ name: 'torn.gguf' }] });
  expect(host.models.list()).toHaveLength(2);
  expect(await host.modelFolders.list()).toHaveLength(1);
  await bring({ path: folder, how: 'link' });
  expect((await host.modelFolders.list()).map(({ path }) => path)).toEqual([host.folder.models, folder]);

  expect(await failureOf(() => bring({ path: join(folder, 'gone.gguf') }))).toMatchObject({ code: 'file-not-found', message: `There is no file and no folder ${join(folder, 'gone.gguf')}.` });
  // It would never end.
  expect(await failureOf(() => bring({ path: '/dev/zero' }))).toMatchObject({ code: 'file-not-found' });
  expect(await failureOf(() => bring({ path: 'one.gguf' }))).toMatchObject({ message: '“one.gguf” is not a whole path.' });
  const desktop = await openTestHost();
  expect(await failureOf(() => desktop.handlers['models.importPath']({ path: folder }))).toMatchObject({ code: 'bad-request', message: 'Files and folders are chosen in a dialog here.' });
});

test('the parts of a split model are imported together, and a missing one is named', async () => {
  const host = await openTestHost();
  const folder = temporaryFolder();
  const parts = splitModel(tinyModel({ architecture: 'llama', layers: 2, seed: 13 }), 2);
  const names = [1, 2].map((part) => `Tiny-0000${part}-of-00002.gguf`);
  writeFileSync(join(folder, names[0]), parts[0]);
  expect(await failureOf(() => host.models.importFile(join(folder, names[0]), names[0], 'copy'))).toEqual({
    code: 'file-not-found',
    message: '“Tiny-00002-of-00002.gguf”, a part of the model, is not beside the others.',
    remedy: 'Put all parts into one folder.',
  });
  writeFileSync(join(folder, names[1]), parts[1]);
  const model = await host.models.importFile(join(folder, names[0]), names[0], 'copy');
  expect(model).toMatchObject({ id: 'tiny', architecture: 'llama', sizeBytes: parts[0].length + parts[1].length });
  expect((await host.models.verify(model.id)).ok).toBe(true);
  rmSync(host.models.files(model.id)[1]);
  expect(host.models.get(model.id).state).toBe('missing');
});
