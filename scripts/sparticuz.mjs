/**
 * Unpacks the archives of the npm package @sparticuz/chromium: a headless Chromium, the libraries it needs and
 * SwiftShader, for machines that have none of them and nobody with root.
 */
import { createHash } from 'node:crypto';
import { chmodSync, existsSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { brotliDecompressSync } from 'node:zlib';
import { cacheFolder, rootFolder } from './paths.mjs';
import { run } from './processes.mjs';

const packageFolder = join(rootFolder, 'node_modules', '@sparticuz', 'chromium');

/**
 * The folder that holds the unpacked archive, or undefined where the package is not installed or not for
 * this platform.
 * @param {'swiftshader.tar.br' | 'al2023.tar.br' | 'fonts.tar.br' | 'chromium.br'} archive
 * @returns {Promise<string | undefined>}
 */
export async function unpackSparticuz(archive) {
  const source = join(packageFolder, 'bin', archive);
  if (process.platform !== 'linux' || process.arch !== 'x64' || !existsSync(source)) return undefined;
  const packed = readFileSync(source);
  const digest = createHash('sha256').update(packed).digest('hex').slice(0, 16);
  const name = basename(archive).replace(/\.tar\.br$|\.br$/, '');
  const folder = join(cacheFolder('sparticuz'), `${name}-${digest}`);
  if (existsSync(folder)) return folder;

  // Unpack beside and rename: two processes may do this at once, and one may be killed half-way.
  const temporary = mkdtempSync(join(dirname(folder), 'unpacking-'));
  const content = brotliDecompressSync(packed);
  if (archive.endsWith('.tar.br')) {
    const { status } = await run('tar', ['-x', '-f', '-', '--no-same-owner', '-C', temporary], { input: content });
    if (status !== 0) {
      rmSync(temporary, { recursive: true, force: true });
      return undefined;
    }
  } else {
    writeFileSync(join(temporary, name), content);
    chmodSync(join(temporary, name), 0o755);
  }
  if (existsSync(folder)) rmSync(temporary, { recursive: true, force: true });
  else renameSync(temporary, folder);
  return folder;
}
