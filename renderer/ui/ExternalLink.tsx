import { clsx } from 'clsx';
import type { MouseEvent, ReactNode } from 'react';
import { attempt } from '../app/failures.ts';

/** http and https only: anything else is shown as text. */
export function isWebAddress(address: string): boolean {
  return /^https?:\/\/[^\s]+$/i.test(address);
}

/** A link out of the app: opened on a click only, in the system's browser. */
export function ExternalLink({ href, className, children }: { href: string; className?: string; children: ReactNode }) {
  if (!isWebAddress(href)) return <>{children}</>;
  const open = (event: MouseEvent) => {
    const bridge = window.longleaf;
    if (!bridge) return;
    event.preventDefault();
    attempt(bridge.openExternal(href));
  };
  return (
    <a href={href} target="_blank" rel="noopener noreferrer" onClick={open} className={clsx('cursor-pointer text-accent-text underline underline-offset-2', className)}>
      {children}
    </a>
  );
}
