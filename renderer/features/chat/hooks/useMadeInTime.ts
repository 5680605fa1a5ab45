/**
 * Spreads over frames what comes into sight at once: a fast scroll passes more answers, with their formulas and tables, than
 * one frame has time to make. What was there first is made at once; of what comes later, so many a frame.
 */
import { useEffect, useState } from 'react';

const newInFrame = 1;

/**
 * @param keys of what is in sight, in the order in which it is to be made
 * @param hurries asked at most once a frame: while it says so nothing is made, because it would be gone in the next
 */
export function useMadeInTime(keys: readonly string[], hurries: () => boolean): (key: string) => boolean {
  const [made, setMade] = useState<ReadonlySet<string>>(() => new Set(keys));
  useEffect(() => {
    const missing = keys.filter((key) => !made.has(key));
    if (missing.length === 0) return undefined;
    let next = requestAnimationFrame(function make() {
      if (hurries()) next = requestAnimationFrame(make);
      else setMade(new Set([...keys.filter((key) => made.has(key)), ...missing.slice(0, newInFrame)]));
    });
    return () => cancelAnimationFrame(next);
  });
  return (key) => made.has(key);
}
