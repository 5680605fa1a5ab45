/** A formula. KaTeX makes its elements itself; no markup is parsed, which trusted types would refuse. */
import katex from 'katex';
import { useLayoutEffect, useRef } from 'react';

export default function Maths({ source, display }: { source: string; display: boolean }) {
  const place = useRef<HTMLSpanElement>(null);
  useLayoutEffect(() => {
    if (!place.current) return;
    katex.render(source, place.current, { displayMode: display, throwOnError: false, errorColor: 'var(--danger-text)', trust: false, strict: 'ignore', maxExpand: 200, maxSize: 40 });
  }, [source, display]);
  return <span ref={place} className={display ? 'maths-display' : undefined} />;
}
