import { useEffect, useLayoutEffect, useRef } from 'react';
import { useView } from '../../../app/view.ts';

/** The field of the question: as high as its text, focused when a chat is opened or someone wishes to write. */
export function useComposerField(draft: string, openings: number) {
  const field = useRef<HTMLTextAreaElement>(null);
  const wishes = useView((state) => state.composerWishes);
  useLayoutEffect(() => {
    const element = field.current;
    if (!element) return;
    element.style.height = 'auto';
    element.style.height = `${element.scrollHeight}px`;
    // oxlint-disable-next-line react/exhaustive-effect-dependencies -- the text is measured where it is shown
  }, [draft]);
  useEffect(() => {
    // A dialog that was opened meanwhile hides what is behind it, and keeps what is typed.
    if (!field.current?.closest('[aria-hidden="true"]')) field.current?.focus();
    // oxlint-disable-next-line react/exhaustive-effect-dependencies -- each wish and each chat is a reason to focus
  }, [wishes, openings]);
  return field;
}
