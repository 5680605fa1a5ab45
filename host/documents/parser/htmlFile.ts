/**
 * A saved web page: its article where it has one (Readability, as in Firefox's reader view), else everything.
 * How much of the page's text was left out with menus and margins is said.
 */
import { Readability } from '@mozilla/readability';
import { parseHTML } from 'linkedom';
import { type HtmlBlock, htmlBlocks, leftOut } from './htmlBlocks.ts';
import { writeParts } from './parts.ts';
import type { DocumentParser } from './source.ts';
import { readWhole } from './textFile.ts';

/** An article that holds less of the page's text than this is taken for a mistake. */
const leastShare = 0.5;
/** Readability walks trees by recursion: pages larger than this are taken whole. */
const longestPageCharacters = 5_000_000;

export const parseHtmlFile: DocumentParser = async ({ path, name }, writer) => {
  const { text, notices } = await readWhole(path, name);
  const whole = htmlBlocks(text);
  const wholeCharacters = characters(whole.blocks);
  const article = articleOf(text);
  const articleCharacters = characters(article);
  const takesArticle = articleCharacters >= leastShare * wholeCharacters;
  notices.push(...leftOut(whole));
  const left = wholeCharacters - articleCharacters;
  if (takesArticle && left > 0) {
    const percent = Math.max(1, Math.round((100 * left) / wholeCharacters));
    notices.push(`Menus, margins and other text around the article were left out: ${percent} % of the page’s characters.`);
  }
  await writeParts(writer, takesArticle ? article : whole.blocks);
  return { format: 'html', unit: 'part', notices };
};

function articleOf(html: string): HtmlBlock[] {
  if (html.length > longestPageCharacters) return [];
  const { document } = parseHTML(html);
  const article = new Readability(document as unknown as Document, { charThreshold: 500 }).parse();
  if (!article?.content) return [];
  const { blocks } = htmlBlocks(article.content);
  const title = article.title?.trim() ?? '';
  // The article's own first heading often is the title.
  if (title === '' || (blocks[0]?.kind === 'heading' && title.includes(blocks[0].text))) return blocks;
  return [{ kind: 'heading', level: 1, text: title }, ...blocks];
}

function characters(blocks: readonly HtmlBlock[]): number {
  return blocks.reduce((sum, { text }) => sum + text.length, 0);
}
