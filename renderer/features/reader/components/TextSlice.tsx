/** A stretch of a page as text; the passage that is wanted is marked. */
import { clsx } from 'clsx';
import type { ReactNode } from 'react';
import type { DocumentBlock } from '../../../../host/contract/documentModel.ts';
import type { DocumentStructure } from '../../../../host/contract/documents.ts';
import { usePageContent } from '../hooks/usePageContent.ts';
import type { PageCache } from '../pageCache.ts';
import { type Slice, blocksOf } from '../slices.ts';
import type { ReaderTarget } from '../store.ts';
import { readerStrings as text } from '../strings.ts';
import { TableBlock } from './TableBlock.tsx';

interface TextSliceProps {
  slice: Slice;
  structure: DocumentStructure;
  cache: PageCache;
  target: ReaderTarget | null;
}

export function TextSlice({ slice, structure: { pages, unit }, cache, target }: TextSliceProps) {
  const content = usePageContent(cache, slice.page);
  if (!content) return <div aria-busy="true" style={{ height: 40 + Math.ceil((slice.end - slice.start) / 45) * 25 }} />;
  const blocks = blocksOf(content.blocks, slice);
  const textOf = ({ start, end }: DocumentBlock) => content.text.slice(start - content.start, end - content.start);
  const name = pages[slice.page].label;
  // A heading that says the same says it better.
  const isNamed = blocks[0]?.kind === 'heading' && textOf(blocks[0]) === name;
  const label = slice.first && unit !== 'part' && !isNamed ? text.pageLabel(unit, name) : null;
  return (
    <div className={clsx('pb-3', slice.first && slice.page > 0 && unit !== 'part' && 'border-t border-line pt-3')}>
      {label !== null && <p className="mb-2 font-sans text-small text-faint">{label}</p>}
      {blocks.map((block) => (
        <Block key={block.start} block={block} target={target}>
          {block.kind === 'table' && isTable(textOf(block)) ? <TableBlock content={textOf(block)} /> : markedText(textOf(block), block.start, target)}
        </Block>
      ))}
    </div>
  );
}

const styles: Record<DocumentBlock['kind'], string> = {
  paragraph: 'whitespace-pre-line',
  heading: 'font-sans font-semibold whitespace-pre-line',
  item: 'whitespace-pre-wrap',
  table: 'overflow-x-auto font-sans text-small whitespace-pre tabular-nums',
  code: 'overflow-x-auto font-mono text-small whitespace-pre',
  quote: 'border-l-2 border-line-strong pl-3 text-quiet whitespace-pre-line',
};

function Block({ block: { kind, start, end }, target, children }: { block: DocumentBlock; target: ReaderTarget | null; children: ReactNode }) {
  const wanted = target !== null && start < target.end && end > target.start;
  const marked = wanted && target.marked;
  const Tag = kind === 'heading' ? 'h3' : kind === 'table' ? 'div' : 'p';
  return (
    <Tag
      data-kind={kind}
      {...(wanted && { 'data-reader-target': '' })}
      {...(marked && { 'data-testid': 'reader-mark' })}
      className={clsx('m-0! mb-3!', styles[kind], marked && '-mx-2 rounded-md bg-accent-soft px-2 py-1')}
    >
      {children}
    </Tag>
  );
}

/** CSV keeps its commas and quotation marks: taking it apart is not the reader's business. */
function isTable(content: string): boolean {
  return content.includes('\t') || content.includes(' | ');
}

/** The passage's own characters within the block. */
function markedText(content: string, start: number, target: ReaderTarget | null): ReactNode {
  if (!target?.marked) return content;
  const from = Math.max(0, target.start - start);
  const to = Math.min(content.length, target.end - start);
  if (from >= to || (from === 0 && to === content.length)) return content;
  return (
    <>
      {content.slice(0, from)}
      <mark className="bg-transparent text-inherit underline decoration-accent decoration-2 underline-offset-3">{content.slice(from, to)}</mark>
      {content.slice(to)}
    </>
  );
}
