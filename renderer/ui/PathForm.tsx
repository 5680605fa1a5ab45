/** A path of this machine that is typed: a browser has no dialog that could name one. */
import { type FormEvent, useId, useState } from 'react';
import { Button } from './Button.tsx';

interface PathFormProps {
  label: string;
  hint: string;
  /** What the button says. */
  submit: string;
  disabled?: boolean;
  onSubmit(path: string): void;
  /** Called when what was said of the path no longer holds. */
  onEdit?(): void;
}

export function PathForm({ label, hint, submit, disabled = false, onSubmit, onEdit }: PathFormProps) {
  const [path, setPath] = useState('');
  const id = useId();
  const send = (event: FormEvent) => {
    event.preventDefault();
    onSubmit(path);
  };
  return (
    <form onSubmit={send}>
      <label htmlFor={id} className="font-medium">
        {label}
      </label>
      <div className="mt-1 flex gap-2">
        <input
          id={id}
          aria-describedby={`${id}-hint`}
          value={path}
          spellCheck={false}
          autoComplete="off"
          onChange={(event) => {
            setPath(event.target.value);
            onEdit?.();
          }}
          className="field h-7 min-w-0 flex-1 py-0"
        />
        <Button type="submit" disabled={disabled || path.trim() === ''}>
          {submit}
        </Button>
      </div>
      <p id={`${id}-hint`} className="mt-1 text-small text-quiet">
        {hint}
      </p>
    </form>
  );
}
