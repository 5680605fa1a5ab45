/**
 * Spreads over frames what comes into sight at once: a fast scroll passes more answers, with their formulas and tables, than
 * one frame has time to make. What was there first is made at once; of what comes later, so many a frame.
 */
import { useEffect, useState } from 'react';

const newInFrame = 2;

/** @param keys of what is in sight, in the order in which it is to be made */
export function useMadeInTime(keys: readonly string[]): (key: string) => boolean {
  const [made, setMade] = useState<ReadonlySet<string>>(() => new Set(keys));
  useEffect(() => {
    const missing = keys.filter((key) => !made.has(key));
    if (missing.length === 0) return undefined;
    const next = requestAnimationFrame(() => setMade(new Set([...keys.filter((key) => made.has(key)), ...missing.slice(0, newInFrame)])));
    return () => cancelAnimationFrame(next);
  });
  return (key) => made.has(key);
}
