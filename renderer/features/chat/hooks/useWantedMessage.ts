import { type RefObject, useEffect } from 'react';
import { useView, viewStore } from '../../../app/view.ts';

const shownMs = 2500;

/**
 * Brings the message that someone looked for into sight and marks it for a moment. Returns it while it is wanted, for a
 * list in which it may not exist yet.
 */
export function useWantedMessage(scroller: RefObject<HTMLDivElement | null>, leaveEnd: () => void): string | null {
  const wanted = useView((state) => state.wantedMessageId);
  useEffect(() => {
    const within = scroller.current;
    if (wanted === null || !within) return undefined;
    leaveEnd();
    let frames = 0;
    let frame = requestAnimationFrame(function look() {
      const element = within.querySelector<HTMLElement>(`[data-message="${CSS.escape(wanted)}"]`);
      if (element) {
        element.scrollIntoView({ block: 'center' });
        element.dataset.wanted = '';
      }
      // A long list puts it in place first; what is above it is measured while it is shown.
      if (++frames < 20) frame = requestAnimationFrame(look);
    });
    const timer = setTimeout(() => viewStore.getState().wantMessage(null), shownMs);
    return () => {
      cancelAnimationFrame(frame);
      clearTimeout(timer);
      within.querySelector<HTMLElement>('[data-wanted]')?.removeAttribute('data-wanted');
    };
  }, [wanted, scroller, leaveEnd]);
  return wanted;
}
