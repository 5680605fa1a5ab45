import { clsx } from 'clsx';

interface ProgressBarProps {
  /** 0 to 1; null where the end is not known. */
  fraction: number | null;
  label: string;
  className?: string;
}

export function ProgressBar({ fraction, label, className }: ProgressBarProps) {
  const percent = fraction === null ? undefined : Math.round(fraction * 100);
  return (
    <div
      role="progressbar"
      aria-label={label}
      aria-valuemin={0}
      aria-valuemax={100}
      aria-valuenow={percent}
      className={clsx('relative h-1 w-full overflow-hidden rounded-full bg-pressed', className)}
    >
      {fraction === null ? (
        <div className="indeterminate h-full rounded-full bg-accent" />
      ) : (
        <div className="h-full rounded-full bg-accent" style={{ width: `${fraction * 100}%` }} />
      )}
    </div>
  );
}
