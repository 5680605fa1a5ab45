/** Downloads and questions on a disk that really is full: a small file system in memory. */
import { readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { freeBytes } from '../models/freeSpace.ts';
import { eventually } from '../testing/eventually.ts';
import { failureOf } from '../testing/failureOf.ts';
import { startHubServer } from '../testing/hubServer.ts';
import { openManager, tinyDigest, tinyFile } from '../testing/openManager.ts';
import { openTestHostWithModel } from '../testing/openTestHost.ts';
import { smallFileSystem } from '../testing/smallFileSystem.ts';
import { formatBytes } from '../wording.ts';

test('a disk that something else fills during a download: the message says what is kept, and the download goes on from there', async (context) => {
  const small = smallFileSystem(context, 2048);
  // The connection pauses long enough for somebody else to take all the room that is left.
  const arrived = 24_000;
  const server = await startHubServer(tinyFile, { stallAfterBytes: arrived });
  const { manager, models, folder, download } = openManager({ endpoint: server.endpoint, parentFolder: small, hub: { stallTimeoutMs: 1500 } });
  const part = join(folder.models, `${tinyDigest}.hub.part`);
  const ballast = join(small, 'ballast');

  const first = manager.start('tiny');
  await eventually(() => statSync(part, { throwIfNoEntry: false })?.size === arrived);
  writeFileSync(ballast, Buffer.alloc(await freeBytes(small)));
  expect(await freeBytes(small)).toBe(0);

  const { state, failure } = await manager.finished(first.id);
  const kept = statSync(part).size;
  expect(state).toBe('failed');
  expect(failure).toEqual({
    code: 'disk-full',
    message: `The disk became full while downloading; ${formatBytes(kept)} are kept.`,
    remedy: 'Free some space and start the download again: it goes on where it stopped.',
  });
  expect(kept).toBeGreaterThanOrEqual(arrived);
  expect(readFileSync(part).equals(tinyFile.subarray(0, kept))).toBe(true);
  expect(models.list()).toEqual([]);

  // A second try on the full disk is refused before anything is fetched.
  expect((await download()).failure?.message).toMatch(/^Tiny needs .* more, but only 0 bytes are free in Longleaf's data folder\.$/);

  rmSync(ballast);
  expect(await download()).toMatchObject({ state: 'done' });
  expect(server.requests.at(-1)).toBe(`storage GET bytes=${kept}-${tinyFile.length - 1}`);
  expect(readdirSync(folder.models)).toEqual(['tiny.gguf']);
  expect(readFileSync(models.path('tiny')).equals(tinyFile)).toBe(true);
});

test('a question on a full disk is refused in plain words, and nothing of it is kept', async (context) => {
  const small = smallFileSystem(context, 2048);
  const host = await openTestHostWithModel({ dataFolder: join(small, 'data') });
  const { id } = await host.handlers['conversations.create']({});
  writeFileSync(join(small, 'ballast'), Buffer.alloc(await freeBytes(small)));
  expect(await failureOf(() => host.chat.send(id, 'word '.repeat(20_000)))).toEqual({
    code: 'disk-full',
    message: 'The disk is full: Longleaf could not save what it was doing.',
    remedy: 'Free some space and try again.',
  });
  rmSync(join(small, 'ballast'));
  expect(host.chat.messages(id)).toEqual([]);
  expect(host.chat.send(id, 'count 1').question.text).toBe('count 1');
});
