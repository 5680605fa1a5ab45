/** EPUB: a zip file whose package lists the chapters in reading order (EPUB 3.3, “spine”). */
import { posix } from 'node:path';
import { htmlBlocks, leftOut } from './htmlBlocks.ts';
import { damaged } from './refusals.ts';
import type { DocumentParser } from './source.ts';
import { writeBlock } from './parts.ts';
import { parseXml, refuseEntities } from './xml.ts';
import { ZipArchive } from './zipArchive.ts';

const containerPath = 'META-INF/container.xml';
const chapterTypes = new Set(['application/xhtml+xml', 'text/html', 'application/x-dtbook+xml']);

interface Manifest {
  items: Map<string, { path: string; type: string }>;
  /** Ids of items in reading order. */
  spine: string[];
  contentsPath: string | undefined;
}

export const parseEpub: DocumentParser = async ({ path, name, onProgress }, writer) => {
  const archive = await ZipArchive.open(path, name);
  try {
    if (archive.has('META-INF/encryption.xml') && /EncryptedData[\s\S]*xhtml|EncryptedData[\s\S]*\.html/i.test(await archive.text('META-INF/encryption.xml'))) {
      throw damaged(name, 'its chapters are encrypted (digital rights management)');
    }
    const manifest = await readManifest(archive, name);
    const titles = manifest.contentsPath ? await readContents(archive, name, manifest.contentsPath) : new Map<string, string>();
    const found = { scripts: 0, remoteLoads: 0 };
    for (const [index, id] of manifest.spine.entries()) {
      const item = manifest.items.get(id);
      if (!item || !chapterTypes.has(item.type)) continue;
      if (!archive.has(item.path)) throw damaged(name, `its chapter “${item.path}” is missing`);
      const source = await archive.text(item.path);
      refuseEntities(source, name, item.path);
      const chapter = htmlBlocks(source, { xhtml: true });
      found.scripts += chapter.scripts;
      found.remoteLoads += chapter.remoteLoads;
      if (chapter.blocks.length > 0) {
        const heading = chapter.blocks.find(({ kind }) => kind === 'heading')?.text.replaceAll(/\s+/g, ' ');
        await writer.openPage(titles.get(item.path) ?? heading ?? (chapter.title || String(writer.pages + 1)));
        for (const block of chapter.blocks) await writeBlock(writer, block);
      }
      onProgress(index + 1, manifest.spine.length);
    }
    return { format: 'epub', unit: 'chapter', notices: leftOut(found) };
  } finally {
    archive.close();
  }
};

async function readManifest(archive: ZipArchive, name: string): Promise<Manifest> {
  let packagePath = '';
  parseXml(await archive.text(containerPath), name, containerPath, {
    open: (element, attributes) => {
      if (element === 'rootfile' && packagePath === '') packagePath = attributes['full-path'] ?? '';
    },
  });
  if (packagePath === '') throw damaged(name, 'its container names no package');
  const items: Manifest['items'] = new Map();
  const spine: string[] = [];
  let contentsPath: string | undefined;
  parseXml(await archive.text(packagePath), name, packagePath, {
    open: (element, attributes) => {
      const local = element.replace(/^opf:/, '');
      if (local === 'item' && attributes['id'] !== undefined && attributes['href'] !== undefined) {
        const type = attributes['media-type'] ?? '';
        const path = resolvePath(packagePath, attributes['href']);
        items.set(attributes['id'], { path, type });
        if (type === 'application/x-dtbncx+xml') contentsPath ??= path;
        if (/\bnav\b/.test(attributes['properties'] ?? '')) contentsPath = path;
      } else if (local === 'itemref' && attributes['idref'] !== undefined) spine.push(attributes['idref']);
    },
  });
  if (spine.length === 0) throw damaged(name, 'its package lists no chapters');
  return { items, spine, contentsPath };
}

/** Titles of chapters by path, from the contents of EPUB 3 (`nav`) or 2 (`ncx`); the first entry of a file counts. */
async function readContents(archive: ZipArchive, name: string, path: string): Promise<Map<string, string>> {
  const titles = new Map<string, string>();
  if (!archive.has(path)) return titles;
  let label = '';
  let target = '';
  let collects = false;
  const keep = () => {
    const chapter = resolvePath(path, target);
    if (target !== '' && label.trim() !== '' && !titles.has(chapter)) titles.set(chapter, label.replaceAll(/\s+/g, ' ').trim());
  };
  parseXml(await archive.text(path), name, path, {
    open: (element, attributes) => {
      if (element === 'a' && attributes['href'] !== undefined) {
        target = attributes['href'];
        label = '';
        collects = true;
      } else if (element === 'navLabel') {
        label = '';
        collects = true;
      } else if (element === 'content' && attributes['src'] !== undefined) {
        target = attributes['src'];
        keep();
      }
    },
    text: (text) => {
      if (collects) label += text;
    },
    close: (element) => {
      if (element === 'a') keep();
      if (element === 'a' || element === 'navLabel') collects = false;
    },
  });
  return titles;
}

/** A reference inside the archive, without its fragment. */
function resolvePath(from: string, reference: string): string {
  const bare = reference.replace(/[#?].*$/s, '');
  let decodedPath = bare;
  try {
    decodedPath = decodeURIComponent(bare);
  } catch {
    // Not percent-encoded after all.
  }
  return decodedPath === '' ? from : posix.normalize(posix.join(posix.dirname(from), decodedPath));
}
