import { clsx } from 'clsx';

/** Keys as this platform writes them, e.g. “Ctrl+K” or “⌘K”. */
export function Shortcut({ keys, className }: { keys: string; className?: string }) {
  return <kbd aria-hidden className={clsx('font-sans text-tiny text-quiet', className)}>{keys}</kbd>;
}
