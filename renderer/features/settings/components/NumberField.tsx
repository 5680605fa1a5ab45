import { formatCount } from '../../../app/format.ts';
import { Tooltip } from '../../../ui/Tooltip.tsx';
import { useFieldDraft } from '../../../ui/useFieldDraft.ts';
import { parseSetting } from '../sampling.ts';
import { settingsStrings } from '../strings.ts';

interface NumberFieldProps {
  label: string;
  describedBy: string;
  field: { least: number; most: number; whole: boolean };
  step: number;
  value: number | null;
  /** Shown when empty; a field with a placeholder may be left empty (null). */
  placeholder?: string;
  onCommit(value: number | null): void;
}

/** A number that is taken over when the field is left or Enter is pressed; never a wrong one. */
export function NumberField({ label, describedBy, field, step, value, placeholder, onCommit }: NumberFieldProps) {
  const written = value === null ? '' : String(value);
  const [draft, setDraft] = useFieldDraft(written);
  const parsed = parseSetting(field, draft);
  const invalid = parsed === null && !(placeholder !== undefined && draft.trim() === '');
  const commit = () => {
    if (invalid) setDraft(written);
    else if (parsed !== value) onCommit(parsed);
  };
  const input = (
    <input
      type="number"
      aria-label={label}
      aria-describedby={describedBy}
      aria-invalid={invalid}
      min={field.least}
      max={field.most}
      step={step}
      value={draft}
      placeholder={placeholder}
      onChange={(event) => setDraft(event.target.value)}
      onBlur={commit}
      onKeyDown={(event) => event.key === 'Enter' && commit()}
      className="field h-7 w-24 py-0 text-right tabular-nums aria-invalid:border-danger"
    />
  );
  return <Tooltip content={settingsStrings.sampling.invalid(formatCount(field.least), formatCount(field.most))}>{input}</Tooltip>;
}
