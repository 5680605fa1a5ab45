import { useCallback, useEffect, useRef, useState } from 'react';

/** Nearer than this to the end counts as being there. */
const nearEnd = 48;

/**
 * Keeps the end of growing text in view, until the reader scrolls away from it. `restart` changes
 * when something is shown whose end should be in view at first.
 */
export function useFollowEnd(restart: unknown) {
  const scroller = useRef<HTMLDivElement>(null);
  const content = useRef<HTMLDivElement>(null);
  const following = useRef(true);
  const [atEnd, setAtEnd] = useState(true);

  const toEnd = useCallback(() => {
    following.current = true;
    scroller.current?.scrollTo({ top: scroller.current.scrollHeight });
  }, []);

  /** Somewhere else is to be shown now. */
  const leave = useCallback(() => {
    following.current = false;
  }, []);

  useEffect(() => {
    const element = scroller.current;
    const grown = content.current;
    if (!element || !grown) return undefined;
    const onScroll = () => {
      following.current = element.scrollHeight - element.scrollTop - element.clientHeight < nearEnd;
      setAtEnd(following.current);
    };
    const observer = new ResizeObserver(() => {
      if (following.current) element.scrollTo({ top: element.scrollHeight });
    });
    observer.observe(grown);
    observer.observe(element);
    element.addEventListener('scroll', onScroll, { passive: true });
    return () => {
      observer.disconnect();
      element.removeEventListener('scroll', onScroll);
    };
  }, []);

  // oxlint-disable-next-line react/exhaustive-effect-dependencies -- the change of `restart` is the point
  useEffect(toEnd, [restart, toEnd]);
  return { scroller, content, atEnd, toEnd, leave };
}
