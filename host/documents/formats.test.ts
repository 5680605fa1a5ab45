import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { ParsedPage } from '../contract/documentModel.ts';
import { temporaryFolder } from '../testing/temporaryFolder.ts';
import { boxesOf, spanOf } from './locateSpan.ts';
import { fixturePath, parsed, parsedFixture } from './testing/parseFixture.ts';
import { wordsInOrder, wordsOf } from './testing/words.ts';

const known = wordsOf(readFileSync(fixturePath('alice.txt'), 'utf8'));

/** Pages and blocks lie in the text in order, and hold all of it but white space. */
function expectWhole(text: string, pages: readonly ParsedPage[]): void {
  let at = 0;
  for (const page of pages) {
    for (const { start, end } of page.blocks) {
      expect(text.slice(at, start).trim()).toBe('');
      expect(page.start <= start && start < end && end <= page.end).toBe(true);
      at = end;
    }
  }
  expect(text.slice(at).trim()).toBe('');
}

describe.each([
  ['office.pdf', 'pdf', 'page'],
  ['chromium.pdf', 'pdf', 'page'],
  ['alice.epub', 'epub', 'chapter'],
  ['alice.docx', 'docx', 'part'],
  ['alice.html', 'html', 'part'],
  ['alice.md', 'markdown', 'part'],
] as const)('%s', (name, format, unit) => {
  test('has the words of its source in order, in pages and blocks', async () => {
    const { document, text, pages } = await parsedFixture(name);
    expect({ format: document.format, unit: document.unit, pages: document.pages, characters: document.characters }).toEqual({ format, unit, pages: pages.length, characters: text.length });
    expect(wordsInOrder(known, wordsOf(text))).toBeGreaterThanOrEqual(0.995);
    // Nor is anything there twice.
    expect(wordsOf(text).length).toBeLessThanOrEqual(1.01 * known.length);
    expect(text).toContain('tumbling down stairs!');
    expect(text).toContain('Привет, Ελληνικά');
    expectWhole(text, pages);
    const blocks = pages.flatMap((page) => page.blocks);
    const heading = blocks.find(({ start, end, kind }) => kind === 'heading' && text.slice(start, end).includes('Down the Rabbit-Hole'));
    expect(heading).toBeDefined();
    const paragraph = blocks.find(({ start, end }) => text.slice(start, end).startsWith('So she was considering'));
    expect(paragraph && text.slice(paragraph.start, paragraph.end).replaceAll('\n', ' ')).toMatch(/^So she was considering.*ran close by her\.$/);
    if (name !== 'alice.md') expect(pages.flatMap(({ headings }) => headings.map(({ title }) => title))).toContain('What she met');
  });
});

describe.each(['office', 'chromium'])('%s.pdf', (name) => {
  const words = readFileSync(fixturePath(`${name}.words.txt`), 'utf8').trim().split('\n').map((line) => {
    const [page = 0, left = 0, top = 0, right = 0, bottom = 0] = line.split(' ').map(Number);
    return { page, left, top, right, bottom, word: line.split(' ').slice(5).join(' ') };
  });

  test('its words are where another program finds them', async () => {
    const { text, pages } = await parsedFixture(`${name}.pdf`);
    const misplaced = words.filter(({ page, left, top, right, bottom, word }) => {
      const boxes = pages[page - 1]?.boxes ?? [];
      const middle = (top + bottom) / 2;
      return !boxes.some((box) => box.y <= middle && middle <= box.y + box.height && box.x <= left + 1 && right - 1 <= box.x + box.width && text.slice(box.start, box.end).includes(word));
    });
    expect(misplaced).toEqual([]);
  });

  test('characters → boxes → characters comes back to the same characters', async () => {
    const { text, pages } = await parsedFixture(`${name}.pdf`);
    for (const page of pages) {
      for (const block of page.blocks) {
        const boxes = boxesOf(page, block.start, block.end);
        // Every character of a block but the spaces between its lines stands in exactly one box.
        let at = block.start;
        for (const box of boxes) {
          expect(text.slice(at, box.start).trim()).toBe('');
          at = box.end;
        }
        expect(text.slice(at, block.end).trim()).toBe('');
      }
      for (const box of page.boxes) {
        for (const { start, end } of [box, { start: box.start + Math.floor((box.end - box.start) / 3), end: box.end }]) {
          const [part] = boxesOf(page, start, end);
          expect(part && spanOf(page, part)).toEqual({ start, end });
        }
      }
    }
  });
});

test('a spreadsheet gives rows of values, dates as dates', async () => {
  const { document, text, pages } = await parsedFixture('sales.xlsx');
  expect(text).toBe('sales\n\nItem\tSold on\tCount\tPrice\tPaid\nTeapots\t2024-02-29\t3\t12.5\tTRUE\nCups, blue\t2024-12-31\t40\t0.3\tFALSE\nNaïve spoons\t1999-01-01\t1200\t0.001\tTRUE');
  expect({ unit: document.unit, labels: pages.map(({ label }) => label) }).toEqual({ unit: 'sheet', labels: ['sales'] });
  expectWhole(text, pages);
});

test('a presentation gives its slides in order, with tables and notes', async () => {
  const { document, text, pages } = await parsedFixture('slides.pptx');
  expect(text).toBe(
    'A Mad Tea-Party\n\nLewis Carroll\n\nThe table\n\n- The Hatter\n- The March Hare\n  - asleep: the Dormouse\n\nNotes: Say that it is always six o’clock.\n\nTimes\n\nWho | When\nHatter | six\nHare | March',
  );
  expect({ unit: document.unit, pages: document.pages }).toEqual({ unit: 'slide', pages: 3 });
  expectWhole(text, pages);
});

test('a CSV file stays as it is', async () => {
  const { document, text, pages } = await parsedFixture('sales.csv');
  expect(text).toBe(readFileSync(fixturePath('sales.csv'), 'utf8'));
  expect({ format: document.format, kinds: pages.flatMap(({ blocks }) => blocks.map(({ kind }) => kind)) }).toEqual({ format: 'csv', kinds: ['table'] });
});

test('a folder of code gives every text file under its path, but what .gitignore leaves out', async () => {
  const folder = temporaryFolder();
  const write = (path: string, content: string | Buffer) => {
    mkdirSync(join(folder, path, '..'), { recursive: true });
    writeFileSync(join(folder, path), content);
  };
  write('.gitignore', 'node_modules/\n*.log\n!keep.log\n');
  write('.git/config', 'secret');
  write('node_modules/a/index.js', 'never');
  write('src/main.ts', 'export const answer = 42;\n\nexport default answer;\n');
  write('src/.gitignore', 'made.ts\n');
  write('src/made.ts', 'never');
  write('src/keep.log', 'kept\n');
  write('other.log', 'never');
  write('picture.png', Buffer.from('\x89PNG\r\n\x1a\n\0\0\0\rIHDR', 'latin1'));
  symlinkSync('/etc/passwd', join(folder, 'link.txt'));
  const { document, text, pages } = await parsed(folder, 'project');
  expect(pages.map(({ label }) => label)).toEqual(['.gitignore', 'src/.gitignore', 'src/keep.log', 'src/main.ts']);
  expect(text.endsWith('src/keep.log\n\nkept\n\n\nsrc/main.ts\n\nexport const answer = 42;\n\nexport default answer;\n')).toBe(true);
  expect(text).not.toContain('never');
  expect(document.notices).toEqual(['1 file that is not text was left out: picture.png.', '1 link was not followed: link.txt.']);
  expectWhole(text, pages);
});
