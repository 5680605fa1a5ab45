/** One member of a wheel (a zip file) as a stream: bounded memory, sizes and checksum checked by yauzl. */
import type { Readable } from 'node:stream';
import { type Entry, type ZipFile, open } from 'yauzl';
import { HostError } from '../errors.ts';

export async function openWheelMember(wheelPath: string, member: string): Promise<Readable> {
  const zip = await openZip(wheelPath);
  const entry = await findEntry(zip, member);
  return new Promise((resolve, reject) => {
    zip.openReadStream(entry, (error, stream) => {
      if (error) return reject(error);
      stream.once('close', () => zip.close());
      resolve(stream);
    });
  });
}

function openZip(path: string): Promise<ZipFile> {
  return new Promise((resolve, reject) => {
    open(path, { lazyEntries: true, autoClose: false }, (error, zip) => (error ? reject(error) : resolve(zip)));
  });
}

function findEntry(zip: ZipFile, member: string): Promise<Entry> {
  return new Promise((resolve, reject) => {
    zip.on('error', reject);
    zip.on('end', () => {
      zip.close();
      reject(new HostError('download-failed', `the wheel has no ${member}`, 'Choose another source.'));
    });
    zip.on('entry', (entry: Entry) => {
      if (entry.fileName === member) resolve(entry);
      else zip.readEntry();
    });
    zip.readEntry();
  });
}
