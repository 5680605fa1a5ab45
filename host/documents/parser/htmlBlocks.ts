/** HTML → blocks of clean text, by elements as they come. Nothing is run and nothing is fetched; what was left out is counted. */
import { Parser } from 'htmlparser2';
import type { BlockKind } from '../../contract/documentModel.ts';

export interface HtmlBlock {
  kind: BlockKind;
  level: number;
  text: string;
}

export interface HtmlText {
  title: string;
  blocks: HtmlBlock[];
  /** Elements and handlers with programs; none was run. */
  scripts: number;
  /** Pictures, styles and frames that a browser would have fetched from elsewhere. */
  remoteLoads: number;
}

const silent = new Set(['script', 'style', 'template', 'noscript', 'head', 'title', 'svg', 'iframe', 'object', 'canvas', 'select', 'button', 'textarea', 'rp', 'annotation', 'annotation-xml']);
const structural = new Set([
  'address', 'article', 'aside', 'body', 'center', 'dd', 'details', 'dialog', 'div', 'dl', 'dt', 'fieldset', 'figcaption', 'figure', 'footer', 'form', 'header', 'hgroup',
  'hr', 'html', 'li', 'main', 'menu', 'nav', 'ol', 'p', 'section', 'summary', 'ul', 'blockquote', 'pre', 'caption',
]);
const remoteAddress = /^\s*(https?:)?\/\//i;
const loaded: Record<string, string> = { img: 'src', source: 'src', video: 'src', audio: 'src', iframe: 'src', embed: 'src', object: 'data', link: 'href', script: 'src', image: 'href' };
/** Longer tables are cut after a row. */
const longestTable = 3000;
const deepestList = 9;

interface List {
  ordered: boolean;
  next: number;
}

class Collector {
  readonly blocks: HtmlBlock[] = [];
  title = '';
  scripts = 0;
  remoteLoads = 0;
  readonly #lists: List[] = [];
  #text = '';
  #silence = 0;
  #inTitle = false;
  #pre = 0;
  #quotes = 0;
  #heading = 0;
  #marker = '';
  #tables = 0;
  #rows: string[] = [];
  #cells: string[] | null = null;

  open(name: string, attributes: Record<string, string>): void {
    this.#note(name, attributes);
    if (name === 'title' && this.title === '') this.#inTitle = true;
    if (this.#silence > 0 || silent.has(name)) {
      this.#silence += 1;
      return;
    }
    if (name === 'br') this.#text += this.#tables > 0 ? ' ' : '\n';
    else if (name === 'wbr') return;
    else if (name === 'table') this.#openTable();
    else if (name === 'tr') this.#cells = [];
    else if (name === 'td' || name === 'th') this.#text = '';
    else if (this.#tables > 0 && (structural.has(name) || headingLevel(name) > 0)) this.#text += ' ';
    else if (headingLevel(name) > 0) {
      this.#flush();
      this.#heading = headingLevel(name);
    } else if (structural.has(name)) {
      this.#flush();
      this.#openStructure(name, attributes);
    }
  }

  close(name: string): void {
    if (name === 'title') this.#inTitle = false;
    if (this.#silence > 0) {
      this.#silence -= 1;
      return;
    }
    if (name === 'td' || name === 'th') this.#closeCell();
    else if (name === 'tr') this.#closeRow();
    else if (name === 'table') this.#closeTable();
    else if (this.#tables > 0) {
      if (structural.has(name)) this.#text += ' ';
    } else if (headingLevel(name) > 0) {
      this.#flush();
      this.#heading = 0;
    } else if (structural.has(name)) {
      this.#flush();
      this.#closeStructure(name);
    }
  }

  add(text: string): void {
    if (this.#inTitle) this.title += text;
    if (this.#silence > 0) return;
    this.#text += this.#pre > 0 ? text.replaceAll(/\r\n?/g, '\n') : text.replaceAll(/[\s\u00A0]+/g, ' ');
  }

  finish(): HtmlText {
    if (this.#tables > 0) this.#closeTable();
    this.#flush();
    return { title: this.title.replaceAll(/\s+/g, ' ').trim(), blocks: this.blocks, scripts: this.scripts, remoteLoads: this.remoteLoads };
  }

  #note(name: string, attributes: Record<string, string>): void {
    if (name === 'script') this.scripts += 1;
    for (const attribute of Object.keys(attributes)) if (/^on[a-z]+$/.test(attribute)) this.scripts += 1;
    const attribute = loaded[name];
    // A link is a load only when it is a style or a picture of the page.
    if (!attribute || (name === 'link' && !/stylesheet|icon|preload|import/i.test(attributes['rel'] ?? ''))) return;
    if (remoteAddress.test(attributes[attribute] ?? attributes[`xlink:${attribute}`] ?? '')) this.remoteLoads += 1;
  }

  #openStructure(name: string, attributes: Record<string, string>): void {
    if (name === 'ul' || name === 'ol' || name === 'menu') {
      const first = Number.parseInt(attributes['start'] ?? '1', 10);
      this.#lists.push({ ordered: name === 'ol', next: Number.isFinite(first) ? first : 1 });
    } else if (name === 'li') {
      const list = this.#lists.at(-1);
      this.#marker = list?.ordered ? `${list.next++}. ` : '- ';
    } else if (name === 'blockquote') this.#quotes += 1;
    else if (name === 'pre') this.#pre += 1;
  }

  #closeStructure(name: string): void {
    if (name === 'ul' || name === 'ol' || name === 'menu') this.#lists.pop();
    else if (name === 'li') this.#marker = '';
    else if (name === 'blockquote') this.#quotes = Math.max(0, this.#quotes - 1);
    else if (name === 'pre') this.#pre = Math.max(0, this.#pre - 1);
  }

  #flush(): void {
    const raw = this.#text;
    this.#text = '';
    const text = this.#pre > 0 ? cleaned(raw).replaceAll(/^\n+|\s+$/g, '') : tidied(raw);
    if (text === '') return;
    const depth = Math.min(deepestList, this.#lists.length);
    const marker = this.#marker;
    this.#marker = '';
    if (this.#heading > 0) this.blocks.push({ kind: 'heading', level: this.#heading, text });
    else if (this.#pre > 0) this.blocks.push({ kind: 'code', level: 0, text });
    else if (depth > 0) this.blocks.push({ kind: 'item', level: depth, text: '  '.repeat(depth - 1) + marker + text });
    else this.blocks.push({ kind: this.#quotes > 0 ? 'quote' : 'paragraph', level: 0, text });
  }

  /** Tables inside tables are rows among the others. */
  #openTable(): void {
    if (this.#tables === 0) this.#flush();
    else this.#closeRow();
    this.#tables += 1;
  }

  #closeCell(): void {
    const text = tidied(this.#text).replaceAll('\n', ' ');
    this.#text = '';
    if (text !== '') (this.#cells ??= []).push(text);
  }

  #closeRow(): void {
    // Text that stands in no cell.
    if (this.#text.trim() !== '') this.#closeCell();
    if (this.#cells && this.#cells.length > 0) this.#rows.push(this.#cells.join(' | '));
    this.#cells = null;
    this.#text = '';
    if (this.#rows.reduce((sum, row) => sum + row.length, 0) > longestTable) this.#emitRows();
  }

  #closeTable(): void {
    this.#closeRow();
    this.#tables = Math.max(0, this.#tables - 1);
    if (this.#tables === 0) this.#emitRows();
  }

  #emitRows(): void {
    if (this.#rows.length > 0) this.blocks.push({ kind: 'table', level: 0, text: this.#rows.join('\n') });
    this.#rows = [];
  }
}

/** @param xhtml elements may close themselves, as in `<title/>` */
export function htmlBlocks(html: string, { xhtml = false }: { xhtml?: boolean } = {}): HtmlText {
  const collector = new Collector();
  const parser = new Parser(
    { onopentag: (name, attributes) => collector.open(name, attributes), ontext: (text) => collector.add(text), onclosetag: (name) => collector.close(name) },
    { decodeEntities: true, recognizeSelfClosing: xhtml, lowerCaseTags: true },
  );
  parser.end(html);
  return collector.finish();
}

/** What was not run and not fetched, as sentences. */
export function leftOut({ scripts, remoteLoads }: { scripts: number; remoteLoads: number }): string[] {
  const notices: string[] = [];
  if (scripts > 0) notices.push(scripts === 1 ? '1 script in it was not run.' : `${scripts} scripts in it were not run.`);
  if (remoteLoads > 0) {
    notices.push(remoteLoads === 1 ? '1 thing that it would load from the network was not fetched.' : `${remoteLoads} things that it would load from the network were not fetched.`);
  }
  return notices;
}

function headingLevel(name: string): number {
  return /^h[1-6]$/.test(name) ? Number(name.slice(1)) : 0;
}

function tidied(text: string): string {
  return cleaned(text)
    .replaceAll(/ *\n */g, '\n')
    .replaceAll(/ {2,}/g, ' ')
    .trim();
}

/** Without soft hyphens, zeros and halves of characters. */
function cleaned(text: string): string {
  return text.replaceAll(/[\u00AD\0]/g, '').toWellFormed();
}
