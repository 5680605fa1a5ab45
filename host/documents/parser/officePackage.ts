/** What Word, Excel and PowerPoint files share: parts, relationships between them, and what is left out of them. */
import { posix } from 'node:path';
import { HostError } from '../../errors.ts';
import { quoted } from '../../wording.ts';
import { plural } from './refusals.ts';
import { parseXml, refuseEntities } from './xml.ts';
import { ZipArchive } from './zipArchive.ts';

export interface Relationship {
  id: string;
  /** The last word of its type: `slide`, `worksheet`, `notesSlide`. */
  type: string;
  /** A path inside the archive. */
  target: string;
}

export interface OfficePackage {
  readonly archive: ZipArchive;
  readonly name: string;
  /** Whole sentences about what was not run and not fetched. */
  readonly notices: string[];
}

/** The first bytes of Microsoft's older container, in which encrypted files are wrapped. */
const olderContainer = Buffer.from([0xd0, 0xcf, 0x11, 0xe0]);

/** Opens the package, checks every XML part of it, and looks for macros and things to be fetched. */
export async function openOfficePackage(path: string, name: string, firstBytes: Buffer): Promise<OfficePackage> {
  if (firstBytes.subarray(0, 4).equals(olderContainer)) {
    throw new HostError('document-encrypted', `${quoted(name)} is protected with a password.`, 'Open it in its own program, save it without a password, and add that file.');
  }
  const archive = await ZipArchive.open(path, name);
  try {
    let fetched = 0;
    for (const part of archive.names) {
      if (!/\.(xml|rels)$/i.test(part)) continue;
      const xml = await archive.text(part);
      refuseEntities(xml, name, part);
      // Links are followed by people, not by documents.
      if (part.endsWith('.rels')) for (const [element] of xml.matchAll(/<Relationship\s[^>]*TargetMode="External"[^>]*>/g)) if (!/\/hyperlink"/.test(element)) fetched += 1;
    }
    const notices: string[] = [];
    if (archive.names.some((part) => /vbaProject\.bin$/i.test(part))) notices.push('Macros in it were not run.');
    if (fetched > 0) notices.push(`${plural(fetched, 'thing that it would load from elsewhere was', 'things that it would load from elsewhere were')} not fetched.`);
    return { archive, name, notices };
  } catch (error) {
    archive.close();
    throw error;
  }
}

/** The relationships of a part, by id; none when it has no list of them. */
export async function relationshipsOf({ archive, name }: OfficePackage, part: string): Promise<Map<string, Relationship>> {
  const listPath = posix.join(posix.dirname(part), '_rels', `${posix.basename(part)}.rels`);
  const found = new Map<string, Relationship>();
  if (!archive.has(listPath)) return found;
  parseXml(await archive.text(listPath), name, listPath, {
    open: (element, { Id: id, Type: type, Target: target, TargetMode: mode }) => {
      if (element !== 'Relationship' || id === undefined || target === undefined || mode === 'External') return;
      const path = target.startsWith('/') ? target.slice(1) : posix.normalize(posix.join(posix.dirname(part), target));
      found.set(id, { id, type: posix.basename(type ?? ''), target: path });
    },
  });
  return found;
}
