import { formatRate } from '../../app/format.ts';

/** null where nothing was measured. */
export function perSecond(tokens: number, milliseconds: number): string | null {
  return tokens > 0 && milliseconds > 0 ? formatRate((tokens * 1000) / milliseconds) : null;
}
