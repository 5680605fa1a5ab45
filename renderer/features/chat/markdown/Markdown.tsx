/**
 * A model's answer as markdown. It is untrusted: raw HTML stays text, images are named but never
 * fetched, links show where they lead and open on a click only.
 */
import { clsx } from 'clsx';
import { type ComponentPropsWithoutRef, type ReactElement, Suspense, isValidElement, lazy, memo } from 'react';
import ReactMarkdown, { type Components, type ExtraProps } from 'react-markdown';
import remarkGfm from 'remark-gfm';
import remarkMath from 'remark-math';
import { ExternalLink, isWebAddress } from '../../../ui/ExternalLink.tsx';
import { chatStrings } from '../strings.ts';
import { splitBlocks } from './blocks.ts';
import { CodeBlock } from './CodeBlock.tsx';
import { withMathMarks } from './mathMarks.ts';

type ElementProps<T extends 'a' | 'code' | 'img' | 'pre' | 'table' | 'input'> = ComponentPropsWithoutRef<T> & ExtraProps;

const text = chatStrings.message;
/** KaTeX is as large as the rest of the window: it is fetched with the first formula. */
const Maths = lazy(() => import('./Maths.tsx'));

function textOf(node: unknown): string {
  if (typeof node === 'string') return node;
  if (Array.isArray(node)) return node.map(textOf).join('');
  return isValidElement(node) ? textOf((node as ReactElement<{ children?: unknown }>).props.children) : '';
}

/** Maths comes as code with a class of its own. */
function mathsOf(className: string | undefined, children: unknown) {
  if (!className?.includes('language-math')) return null;
  const source = textOf(children);
  return (
    <Suspense fallback={<code>{source}</code>}>
      <Maths source={source} display={className.includes('math-display')} />
    </Suspense>
  );
}

const components: Components = {
  a({ href = '', children }: ElementProps<'a'>) {
    if (!isWebAddress(href)) return <>{children}</>;
    const shown = textOf(children);
    return (
      <>
        <ExternalLink href={href}>{children}</ExternalLink>
        {shown !== href && <span className="link-address"> ({href})</span>}
      </>
    );
  },
  img({ alt = '' }: ElementProps<'img'>) {
    return <span className="link-address">[{alt === '' ? text.imageWithoutDescription : text.image(alt)}]</span>;
  },
  code({ className, children }: ElementProps<'code'>) {
    return mathsOf(className, children) ?? <code className={className}>{children}</code>;
  },
  pre({ children }: ElementProps<'pre'>) {
    const code = isValidElement<{ className?: string }>(children) ? children.props : {};
    if (code.className?.includes('math-display')) return <>{children}</>;
    return <CodeBlock code={textOf(children).replace(/\n$/, '')} name={/language-(\S+)/.exec(code.className ?? '')?.[1] ?? ''} />;
  },
  table({ children }: ElementProps<'table'>) {
    return (
      // Focusable, so that the keyboard can scroll wide tables.
      // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex
      <div className="table-scroll" tabIndex={0} role="group" aria-label={text.table}>
        <table>{children}</table>
      </div>
    );
  },
  input({ checked, type }: ElementProps<'input'>) {
    return <input type={type} checked={checked} readOnly disabled aria-label={checked ? '✓' : '–'} />;
  },
};

const plugins = [remarkGfm, remarkMath];
/** Addresses are checked where they are shown, so none is rewritten here. */
const keepAddress = (address: string) => address;

const MarkdownBlock = memo(function MarkdownBlock({ source }: { source: string }) {
  return (
    <div className="prose-block">
      <ReactMarkdown remarkPlugins={plugins} components={components} urlTransform={keepAddress}>
        {withMathMarks(source)}
      </ReactMarkdown>
    </div>
  );
});

export function Markdown({ source, streaming = false, small = false }: { source: string; streaming?: boolean; small?: boolean }) {
  return (
    <div className={clsx('prose selectable', streaming && 'streaming', small && 'prose-small')}>
      {splitBlocks(source).map((block, index) => (
        // Blocks are only ever appended, so the index names them for good.
        // oxlint-disable-next-line react/no-array-index-key
        <MarkdownBlock key={index} source={block} />
      ))}
    </div>
  );
}
