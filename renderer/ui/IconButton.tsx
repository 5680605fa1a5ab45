import { clsx } from 'clsx';
import type { LucideIcon } from 'lucide-react';
import type { ButtonHTMLAttributes, Ref } from 'react';
import { Tooltip } from './Tooltip.tsx';

export interface IconButtonProps extends ButtonHTMLAttributes<HTMLButtonElement> {
  icon: LucideIcon;
  /** The button's name: read aloud, and shown as a tooltip. */
  label: string;
  shortcut?: string;
  iconSize?: number;
  /** Filled instead of drawn in lines. */
  fill?: boolean;
  size?: 'small' | 'normal';
  ref?: Ref<HTMLButtonElement>;
}

export function IconButton({ icon: Icon, label, shortcut, iconSize = 16, fill = false, size = 'normal', className, type = 'button', ...rest }: IconButtonProps) {
  return (
    <Tooltip content={label} shortcut={shortcut}>
      <button
        type={type}
        aria-label={label}
        className={clsx(
          'inline-flex shrink-0 items-center justify-center rounded-md text-quiet transition-colors duration-75 hover:bg-hover hover:text-text active:bg-pressed disabled:pointer-events-none disabled:opacity-45 aria-expanded:bg-hover aria-pressed:bg-hover',
          size === 'small' ? 'size-6' : 'size-7',
          className,
        )}
        {...rest}
      >
        <Icon size={iconSize} strokeWidth={1.75} fill={fill ? 'currentColor' : 'none'} aria-hidden />
      </button>
    </Tooltip>
  );
}
