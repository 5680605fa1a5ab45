import { clsx } from 'clsx';
import type { ButtonHTMLAttributes, Ref } from 'react';

export interface ButtonProps extends ButtonHTMLAttributes<HTMLButtonElement> {
  variant?: 'primary' | 'plain' | 'ghost' | 'danger';
  size?: 'normal' | 'large';
  ref?: Ref<HTMLButtonElement>;
}

const variants = {
  primary: 'bg-accent text-on-accent hover:bg-accent-hover font-medium',
  plain: 'bg-raised border border-line-strong text-text hover:bg-hover active:bg-pressed',
  ghost: 'text-text hover:bg-hover active:bg-pressed',
  danger: 'bg-raised border border-danger-line text-danger-text hover:bg-danger-soft',
};

const sizes = { normal: 'h-7 px-2.5', large: 'h-9 px-4 text-body' };

export function Button({ variant = 'plain', size = 'normal', className, type = 'button', ...rest }: ButtonProps) {
  return (
    <button
      type={type}
      className={clsx(
        'inline-flex shrink-0 items-center justify-center gap-1.5 rounded-md whitespace-nowrap transition-colors duration-75 disabled:pointer-events-none disabled:opacity-50',
        variants[variant],
        sizes[size],
        className,
      )}
      {...rest}
    />
  );
}
