/** A block of code: its language, a button that copies it, colours as soon as they are known. */
import { useEffect, useState } from 'react';
import { CopyButton } from '../../../ui/CopyButton.tsx';
import { chatStrings } from '../strings.ts';
import { ColouredCode, type Highlighted, beginningOf, nothingHighlighted } from './highlighting/ColouredCode.tsx';
import { codeLanguage } from './highlighting/languages.ts';
import { highlighter } from './highlighting/ownHighlighter.ts';

const text = chatStrings.message;
/** Code that is being written is coloured this long after its last word. */
const pauseMs = 120;

export function CodeBlock({ code, name }: { code: string; name: string }) {
  const highlighted = useHighlighted(code, name);
  return (
    <div className="group/code relative">
      {name !== '' && <span className="absolute top-1.5 right-9 font-sans text-tiny text-faint">{name}</span>}
      {/* Focusable, so that the keyboard can scroll long lines. */}
      {/* oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex */}
      <pre tabIndex={0}>
        <code>
          <ColouredCode code={highlighted.code} runs={highlighted.runs} />
          {code.slice(highlighted.code.length)}
        </code>
      </pre>
      <CopyButton label={text.copyCode} text={() => code} className="absolute top-1 right-1.5 bg-sunken" />
    </div>
  );
}

/** As much of the code, from its beginning, as has known colours. */
function useHighlighted(code: string, name: string): Highlighted {
  const language = codeLanguage(name);
  const [last, setLast] = useState(nothingHighlighted);
  const known = language && highlighter.remembered(code, language);
  useEffect(() => {
    if (!language || known) return undefined;
    let cancel: (() => void) | null = null;
    const timer = setTimeout(() => {
      cancel = highlighter.highlight(code, language, (runs) => setLast({ code, language, runs }));
    }, pauseMs);
    return () => {
      clearTimeout(timer);
      cancel?.();
    };
  }, [code, language, known]);
  return known ? { code, language, runs: known } : beginningOf(code, language, last);
}
