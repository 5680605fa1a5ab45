/** Stands in for `react-remove-scroll` (see vite.config.ts): renders its child and locks nothing. */
import { Slot } from 'radix-ui';
import type { HTMLAttributes, Ref } from 'react';

interface RemoveScrollProps extends HTMLAttributes<HTMLDivElement> {
  ref?: Ref<HTMLDivElement>;
  as?: unknown;
  allowPinchZoom?: boolean;
  shards?: unknown;
  enabled?: boolean;
}

export function RemoveScroll({ children, ref, as: _as, allowPinchZoom: _zoom, shards: _shards, enabled: _enabled, ...rest }: RemoveScrollProps) {
  return (
    <Slot.Root ref={ref} {...rest}>
      {children}
    </Slot.Root>
  );
}
