/** A publisher of Longleaf: a signed feed and an installer on this machine, and a copy that was made to ask there. */
import { createHash, generateKeyPairSync, sign } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { hostEntry, repositoryFolder, temporaryFolder } from './runningApp.ts';

export interface Publisher {
  /** The host's program, of a copy that carries this publisher's feed and key. */
  entry: string;
  installer: Buffer;
  /** From now on what the feed says is no longer what was signed. */
  tamper(): void;
  close(): void;
}

export async function startPublisher({ version, notes }: { version: string; notes: string }): Promise<Publisher> {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  const installer = Buffer.alloc(3_200_000, 'an installer ');
  const file = { platform: `${process.platform}-${process.arch}`, name: `Longleaf-${version}.AppImage`, sizeBytes: installer.length, sha256: createHash('sha256').update(installer).digest('hex') };
  const payload = Buffer.from(JSON.stringify({ format: 1, version, notes, files: [file] }));
  const signature = sign(null, payload, privateKey).toString('base64');
  let said = payload;
  const server = createServer(({ url }, response) => {
    if (url === '/feed.json') response.end(JSON.stringify({ payload: said.toString('base64'), signature }));
    else if (url === `/${file.name}`) response.end(installer);
    else response.writeHead(404).end();
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const feed = `http://127.0.0.1:${(server.address() as AddressInfo).port}/feed.json`;
  const copy = temporaryFolder();
  writeCopy(copy.path, { feed, publicKey: publicKey.export({ format: 'der', type: 'spki' }).toString('base64') });
  return {
    entry: join(copy.path, 'dist', 'host.js'),
    installer,
    tamper: () => {
      said = Buffer.from(payload.toString().replace(version, '999.2.0'));
    },
    close: () => {
      server.close();
      copy.remove();
    },
  };
}

/** The program as it is built, with another `assets/update-feed.json` in its host. Not in dist/, which is packaged. */
function writeCopy(folder: string, feed: { feed: string; publicKey: string }): void {
  const built = readFileSync(hostEntry, 'utf8');
  const host = built.replace('{ feed: null, publicKey: null }', JSON.stringify(feed));
  if (host === built) throw new Error('The built host carries no feed that could be replaced.');
  mkdirSync(join(folder, 'dist'));
  const neighbours = readdirSync(join(repositoryFolder, 'dist')).filter((name) => name !== 'host.js').map((name) => join('dist', name));
  for (const path of ['package.json', 'assets', 'node_modules', ...neighbours]) symlinkSync(join(repositoryFolder, path), join(folder, path));
  writeFileSync(join(folder, 'dist', 'host.js'), host);
}
