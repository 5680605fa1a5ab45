/** A block of code: its language, a button that copies it, colours as soon as they are known. */
import { Fragment, useEffect, useState } from 'react';
import { CopyButton } from '../../../ui/CopyButton.tsx';
import { chatStrings } from '../strings.ts';
import { type CodeLine, highlight, rememberedLines } from './highlighter.ts';
import { codeLanguage } from './languages.ts';

const text = chatStrings.message;
/** Code that is being written is coloured this long after its last word. */
const pauseMs = 120;

export function CodeBlock({ code, name }: { code: string; name: string }) {
  const lines = useHighlighted(code, name);
  return (
    <div className="group/code relative">
      {name !== '' && <span className="absolute top-1.5 right-9 font-sans text-tiny text-faint">{name}</span>}
      {/* Focusable, so that the keyboard can scroll long lines. */}
      {/* oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex */}
      <pre tabIndex={0}>
        <code>{lines ? <Lines lines={lines} /> : code}</code>
      </pre>
      <CopyButton label={text.copyCode} text={() => code} className="absolute top-1 right-1.5 bg-sunken" />
    </div>
  );
}

function Lines({ lines }: { lines: readonly CodeLine[] }) {
  // Shown anew as a whole, so that places are names enough.
  /* oxlint-disable react/no-array-index-key */
  return lines.map((line, index) => (
    <Fragment key={index}>
      {line.map(({ content, color }, column) => (
        <span key={column} style={{ color }}>
          {content}
        </span>
      ))}
      {index < lines.length - 1 && '\n'}
    </Fragment>
  ));
  /* oxlint-enable react/no-array-index-key */
}

/** Null until the colours are known, and for languages without any. */
function useHighlighted(code: string, name: string): readonly CodeLine[] | null {
  const language = codeLanguage(name);
  const [found, setFound] = useState<{ code: string; lines: readonly CodeLine[] | null }>({ code: '', lines: null });
  const known = language && rememberedLines(code, language);
  useEffect(() => {
    if (!language || known) return undefined;
    let wanted = true;
    const timer = setTimeout(() => {
      // Without colours the code is still there.
      highlight(code, language).then((lines) => wanted && setFound({ code, lines }), () => undefined);
    }, pauseMs);
    return () => {
      wanted = false;
      clearTimeout(timer);
    };
  }, [code, language, known]);
  return known ?? (found.code === code ? found.lines : null);
}
