/** A list below a text field: arrows choose an entry, Enter takes it, while the focus stays in the field. */
import { type KeyboardEvent, useId, useState } from 'react';

/** Entries have the ids `${list}-${index}`. */
export function useListChoice(count: number, take: (index: number) => void) {
  const [chosen, setChosen] = useState(0);
  const list = useId();
  const onKeyDown = (event: KeyboardEvent) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step && count > 0) {
      event.preventDefault();
      const next = (chosen + step + count) % count;
      setChosen(next);
      document.getElementById(`${list}-${next}`)?.scrollIntoView({ block: 'nearest' });
      // Enter may also end the writing of a Japanese word.
    } else if (event.key === 'Enter' && !event.nativeEvent.isComposing) {
      event.preventDefault();
      take(chosen);
    }
  };
  return { list, chosen, setChosen, onKeyDown };
}
