import { clsx } from 'clsx';
import { ChevronDown } from 'lucide-react';
import type { SelectHTMLAttributes } from 'react';

interface SelectProps extends SelectHTMLAttributes<HTMLSelectElement> {
  label: string;
}

/** The platform's own list: it is native, works by keyboard and needs no inline styles. */
export function Select({ label, className, children, ...rest }: SelectProps) {
  return (
    <span className={clsx('relative inline-flex', className)}>
      <select aria-label={label} className="field h-7 w-full appearance-none py-0 pr-7 pl-2 text-ellipsis" {...rest}>
        {children}
      </select>
      <ChevronDown size={14} className="pointer-events-none absolute top-1/2 right-2 -translate-y-1/2 text-quiet" aria-hidden />
    </span>
  );
}
