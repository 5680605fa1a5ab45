import { clsx } from 'clsx';
import { useEffect, useRef } from 'react';

interface NameFieldProps {
  label: string;
  name: string;
  /** Called when another name was written. */
  onCommit(name: string): void;
  onDone(): void;
  className?: string;
}

/** Renames something in place: Enter and leaving keep the name, Escape does not. */
export function NameField({ label, name, onCommit, onDone, className }: NameFieldProps) {
  const field = useRef<HTMLInputElement>(null);
  const finished = useRef(false);
  useEffect(() => {
    field.current?.focus();
    field.current?.select();
  }, []);
  const finish = (keep: boolean) => {
    if (finished.current) return;
    finished.current = true;
    const written = field.current?.value.trim() ?? '';
    if (keep && written !== '' && written !== name) onCommit(written);
    onDone();
  };
  return (
    <input
      ref={field}
      aria-label={label}
      defaultValue={name}
      maxLength={100}
      className={clsx('field', className)}
      onBlur={() => finish(true)}
      onKeyDown={(event) => {
        if (event.key !== 'Enter' && event.key !== 'Escape') return;
        event.preventDefault();
        event.stopPropagation();
        finish(event.key === 'Enter');
      }}
    />
  );
}
