/** Accidents of the machine, each with what it says and what it leaves intact. Full disks have tests of their own. */
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, renameSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openHost } from './host.ts';
import { failureOf } from './testing/failureOf.ts';
import { openTestHost, writeTinyModel } from './testing/openTestHost.ts';
import { smallFileSystem } from './testing/smallFileSystem.ts';
import { temporaryFolder } from './testing/temporaryFolder.ts';

const documents = 100;

test('a data folder that cannot be written says so, with what to do', async () => {
  const parent = temporaryFolder();
  const file = join(parent, 'a-file');
  writeFileSync(file, '');
  const folders = [join(file, 'data')];
  if (process.getuid?.() !== 0) {
    const locked = join(parent, 'locked');
    mkdirSync(locked);
    chmodSync(locked, 0o500);
    folders.push(join(locked, 'data'));
  }
  for (const dataFolder of folders) {
    const failure = await failureOf(() => openHost({ dataFolder }));
    expect(failure.code).toBe('data-folder-unusable');
    expect(failure.message).toContain(`Longleaf cannot write to its data folder ${dataFolder} (E`);
    expect(failure.remedy).toBe('Give yourself write access to it, or choose another folder with --data or LONGLEAF_DATA.');
  }
});

test('a disk that is full, or that turned read-only, is no damage and no other Longleaf; nothing is lost by it', async (context) => {
  const disk = smallFileSystem(context, 4096);
  const dataFolder = join(disk, 'data');
  const first = await openTestHost({ dataFolder });
  const { id } = await first.handlers['conversations.create']({});
  await first.close();
  const refusal = () => failureOf(() => openHost({ dataFolder }));

  const { bavail, bsize } = statfsSync(disk);
  writeFileSync(join(disk, 'ballast'), Buffer.alloc(bavail * bsize));
  expect(await refusal()).toEqual({ code: 'disk-full', message: 'The disk is full: Longleaf could not save what it was doing.', remedy: 'Free some space and try again.' });
  rmSync(join(disk, 'ballast'));

  for (const file of ['longleaf.sqlite', 'longleaf.lock']) {
    const path = join(dataFolder, file);
    readOnly(path);
    const failure = await refusal();
    expect(failure.code, file).toBe('data-folder-unusable');
    expect(failure.message).toBe(`Longleaf cannot write to its data folder ${dataFolder} (EROFS).`);
    spawnSync('umount', [path]);
  }
  const again = await openTestHost({ dataFolder });
  expect((await again.handlers['conversations.get']({ conversationId: id })).id).toBe(id);
});

/** As a file of another user is, which root could write all the same. */
function readOnly(path: string): void {
  for (const args of [['--bind', path, path], ['-o', 'remount,ro,bind', path]]) expect(spawnSync('mount', args).status).toBe(0);
}

test('a drive that is removed takes its models along for as long as it is away', async () => {
  const host = await openTestHost();
  const drive = temporaryFolder();
  const model = await host.models.importFile(await writeTinyModel(drive), 'tiny.gguf', 'keep');
  const stored = host.models.path(model.id);
  renameSync(stored, `${stored}.away`);
  expect(host.models.get(model.id).state).toBe('missing');
  const { id: conversationId } = await host.handlers['conversations.create']({ modelId: model.id });
  const failure = await failureOf(() => host.handlers['chat.send']({ conversationId, text: 'count 1' }));
  expect(failure.code).toBe('model-missing');
  // It is that drive, and not that there were no model, also where nobody chose one.
  const { id: undecided } = await host.handlers['conversations.create']({});
  expect((await failureOf(() => host.handlers['chat.send']({ conversationId: undecided, text: 'count 1' }))).code).toBe('model-missing');
  renameSync(`${stored}.away`, stored);
  expect(host.models.get(model.id).state).toBe('ready');
});

test('a drive whose models are used where they are: what is missing is the drive', async () => {
  const host = await openTestHost();
  const drive = temporaryFolder();
  const model = await host.models.importFile(await writeTinyModel(drive), 'tiny.gguf', 'link');
  renameSync(drive, `${drive}.away`);
  const { id: conversationId } = await host.handlers['conversations.create']({});
  const failure = await failureOf(() => host.handlers['chat.send']({ conversationId, text: 'count 1' }));
  renameSync(`${drive}.away`, drive);
  expect(failure).toEqual({
    code: 'model-missing',
    message: `The file of ${model.name} (tiny.gguf) is not in ${drive} now.`,
    remedy: 'Connect the drive that holds it, or put the file back, and try again; another model can answer meanwhile.',
  });
});

test(`${documents} documents at once are all taken in`, { timeout: 60_000 + documents * 3000 }, async () => {
  const host = await openTestHost();
  const names = Array.from({ length: documents }, (_, index) => `note ${index}.txt`);
  const added = await Promise.all(names.map((name) => host.handlers['documents.addText']({ name, text: `This is ${name}.` })));
  expect(new Set(added.map(({ id }) => id)).size).toBe(documents);
  expect(host.documents.list().map(({ name }) => name).sort()).toEqual([...names].sort());
});

test('a huge paste becomes a document; one that is larger than that is refused', async () => {
  const host = await openTestHost();
  const text = 'A long line of words.\n'.repeat(500_000);
  const record = await host.handlers['documents.addText']({ name: 'paste.txt', text });
  expect(record.characters).toBe(text.length);
  const { methods } = await import('./contract/methods.ts');
  expect(methods['documents.addText'].params.safeParse({ name: 'paste.txt', text: 'x'.repeat(50_000_001) }).success).toBe(false);
});
