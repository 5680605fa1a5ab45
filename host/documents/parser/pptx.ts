/** PowerPoint: the text of each slide in its order, titles as headings, tables row by row, then the speaker's notes. */
import { readFirstBytes } from './firstBytes.ts';
import { damaged } from './refusals.ts';
import { type OfficePackage, openOfficePackage, relationshipsOf } from './officePackage.ts';
import type { DocumentParser } from './source.ts';
import type { HtmlBlock } from './htmlBlocks.ts';
import { writeBlock } from './parts.ts';
import { parseXml } from './xml.ts';

const presentationPath = 'ppt/presentation.xml';

export const parsePptx: DocumentParser = async ({ path, name, onProgress }, writer) => {
  const office = await openOfficePackage(path, name, await readFirstBytes(path));
  try {
    if (!office.archive.has(presentationPath)) throw damaged(name, 'it is not a PowerPoint presentation');
    const slides = await slidePaths(office);
    for (const [index, slide] of slides.entries()) {
      const blocks = await slideBlocks(office, slide);
      const notes = [...(await relationshipsOf(office, slide)).values()].find(({ type }) => type === 'notesSlide');
      if (notes && office.archive.has(notes.target)) {
        const spoken = (await slideBlocks(office, notes.target)).filter(({ kind }) => kind !== 'heading');
        if (spoken.length > 0) blocks.push({ kind: 'paragraph', level: 0, text: `Notes: ${spoken.map(({ text }) => text).join('\n')}` });
      }
      await writer.openPage(String(index + 1));
      for (const block of blocks) await writeBlock(writer, block);
      onProgress(index + 1, slides.length);
    }
    return { format: 'pptx', unit: 'slide', notices: office.notices };
  } finally {
    office.archive.close();
  }
};

async function slidePaths(office: OfficePackage): Promise<string[]> {
  const relationships = await relationshipsOf(office, presentationPath);
  const paths: string[] = [];
  parseXml(await office.archive.text(presentationPath), office.name, presentationPath, {
    open: (element, attributes) => {
      const target = element === 'p:sldId' ? relationships.get(attributes['r:id'] ?? '')?.target : undefined;
      if (target !== undefined) paths.push(target);
    },
  });
  return paths;
}

/** Placeholders that repeat on every slide. */
const furniture = new Set(['sldNum', 'dt', 'ftr', 'hdr', 'sldImg']);

async function slideBlocks({ archive, name }: OfficePackage, part: string): Promise<HtmlBlock[]> {
  const blocks: HtmlBlock[] = [];
  let placeholder = '';
  let paragraph: string | null = null;
  let level = 0;
  let bullet = false;
  let inText = false;
  let rows: string[] | null = null;
  let cells: string[] = [];
  let cell: string[] | null = null;
  parseXml(await archive.text(part), name, part, {
    open: (element, attributes) => {
      if (element === 'p:sp') placeholder = '';
      else if (element === 'p:ph') placeholder = attributes['type'] ?? 'body';
      else if (element === 'a:tbl') rows = [];
      else if (element === 'a:tr') cells = [];
      else if (element === 'a:tc') cell = [];
      else if (element === 'a:p') {
        paragraph = '';
        level = 0;
        bullet = placeholder === 'body' || placeholder === 'obj';
      } else if (element === 'a:pPr') level = Number(attributes['lvl'] ?? 0) || 0;
      else if (element === 'a:buNone') bullet = false;
      else if (element === 'a:buChar' || element === 'a:buAutoNum') bullet = true;
      else if (element === 'a:br') paragraph = paragraph === null ? null : `${paragraph}\n`;
      else if (element === 'a:t') inText = true;
    },
    text: (text) => {
      if (inText && paragraph !== null) paragraph += text;
    },
    close: (element) => {
      if (element === 'a:t') inText = false;
      else if (element === 'a:tc') {
        cells.push((cell ?? []).join(' '));
        cell = null;
      } else if (element === 'a:tr') rows?.push(cells.join(' | '));
      else if (element === 'a:tbl') {
        if (rows && rows.length > 0) blocks.push({ kind: 'table', level: 0, text: rows.join('\n') });
        rows = null;
      } else if (element === 'a:p') {
        const text = (paragraph ?? '').toWellFormed().trim();
        paragraph = null;
        if (text === '' || furniture.has(placeholder)) return;
        if (cell) cell.push(text.replaceAll('\n', ' '));
        else if (placeholder === 'title' || placeholder === 'ctrTitle') blocks.push({ kind: 'heading', level: 2, text });
        else if (bullet) blocks.push({ kind: 'item', level: Math.min(9, level + 1), text: `${'  '.repeat(level)}- ${text}` });
        else blocks.push({ kind: 'paragraph', level: 0, text });
      }
    },
  });
  return blocks;
}
