import { useEffect, useId, useRef } from 'react';
import { useFieldDraft } from '../../../ui/useFieldDraft.ts';

interface TextSettingProps {
  label: string;
  hint: string;
  value: string;
  /** Called when the field is left or nothing was typed for a moment. */
  onCommit(value: string): void;
}

const pauseMs = 800;

export function TextSetting({ label, hint, value, onCommit }: TextSettingProps) {
  const [draft, setDraft] = useFieldDraft(value);
  const id = useId();
  const pending = useRef<(() => void) | null>(null);
  useEffect(() => {
    pending.current = draft === value ? null : () => onCommit(draft);
    const timer = setTimeout(() => pending.current?.(), pauseMs);
    return () => clearTimeout(timer);
  }, [draft, value, onCommit]);
  // A panel may close before the pause is over.
  useEffect(() => () => pending.current?.(), []);
  return (
    <div className="flex flex-col gap-1">
      <label htmlFor={id} className="font-medium">
        {label}
      </label>
      <textarea
        id={id}
        aria-describedby={`${id}-hint`}
        rows={3}
        value={draft}
        onChange={(event) => setDraft(event.target.value)}
        onBlur={() => pending.current?.()}
        className="field w-full"
      />
      <p id={`${id}-hint`} className="text-small text-quiet">
        {hint}
      </p>
    </div>
  );
}
