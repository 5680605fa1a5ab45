/**
 * A model's answer as markdown. It is untrusted: raw HTML stays text, images are named but never
 * fetched, links show where they lead and open on a click only.
 */
import { clsx } from 'clsx';
import { type ComponentPropsWithoutRef, type ReactElement, isValidElement, memo } from 'react';
import ReactMarkdown, { type Components, type ExtraProps } from 'react-markdown';
import remarkGfm from 'remark-gfm';
import { CopyButton } from '../../../ui/CopyButton.tsx';
import { ExternalLink, isWebAddress } from '../../../ui/ExternalLink.tsx';
import { splitBlocks } from '../blocks.ts';
import { chatStrings } from '../strings.ts';

type ElementProps<T extends 'a' | 'img' | 'pre' | 'table' | 'input'> = ComponentPropsWithoutRef<T> & ExtraProps;

const text = chatStrings.message;

function textOf(node: unknown): string {
  if (typeof node === 'string') return node;
  if (Array.isArray(node)) return node.map(textOf).join('');
  return isValidElement(node) ? textOf((node as ReactElement<{ children?: unknown }>).props.children) : '';
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
  pre({ children }: ElementProps<'pre'>) {
    return (
      <div className="group/code relative">
        {/* Focusable, so that the keyboard can scroll long lines. */}
        {/* oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex */}
        <pre tabIndex={0}>{children}</pre>
        <CopyButton
          label={text.copyCode}
          text={() => textOf(children)}
          className="absolute top-1.5 right-1.5 bg-raised opacity-0 group-hover/code:opacity-100 focus-visible:opacity-100"
        />
      </div>
    );
  },
  table({ children }: ElementProps<'table'>) {
    return (
      <div className="table-scroll">
        <table>{children}</table>
      </div>
    );
  },
  input({ checked, type }: ElementProps<'input'>) {
    return <input type={type} checked={checked} readOnly disabled aria-label={checked ? '✓' : '–'} />;
  },
};

const plugins = [remarkGfm];
/** Addresses are checked where they are shown, so none is rewritten here. */
const keepAddress = (address: string) => address;

const MarkdownBlock = memo(function MarkdownBlock({ source }: { source: string }) {
  return (
    <div className="prose-block">
      <ReactMarkdown remarkPlugins={plugins} components={components} urlTransform={keepAddress}>
        {source}
      </ReactMarkdown>
    </div>
  );
});

export function Markdown({ source, streaming = false }: { source: string; streaming?: boolean }) {
  return (
    <div className={clsx('prose selectable', streaming && 'streaming')}>
      {splitBlocks(source).map((block, index) => (
        // Blocks are only ever appended, so the index names them for good.
        // oxlint-disable-next-line react/no-array-index-key
        <MarkdownBlock key={index} source={block} />
      ))}
    </div>
  );
}
