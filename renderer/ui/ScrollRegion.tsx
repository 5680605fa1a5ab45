import { clsx } from 'clsx';
import type { HTMLAttributes, Ref } from 'react';

interface ScrollRegionProps extends HTMLAttributes<HTMLDivElement> {
  label: string;
  ref?: Ref<HTMLDivElement>;
}

/** A part of the window that scrolls; it takes the focus, so that the keyboard can scroll it. */
export function ScrollRegion({ label, role = 'region', className, children, ...rest }: ScrollRegionProps) {
  return (
    // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex
    <div tabIndex={0} role={role} aria-label={label} className={clsx('min-h-0 overflow-y-auto focus-visible:outline-offset-[-2px]', className)} {...rest}>
      {children}
    </div>
  );
}
