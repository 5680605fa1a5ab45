import { useEffect, useRef } from 'react';

/** Moves the focus to an element when it appears because of something the person did. */
export function useFocusWhenShown<T extends HTMLElement>() {
  const element = useRef<T>(null);
  useEffect(() => element.current?.focus(), []);
  return element;
}
