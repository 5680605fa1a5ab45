import type { ReactNode } from 'react';

interface SettingRowProps {
  label: string;
  hint?: string;
  hintId?: string;
  children: ReactNode;
}

/** A setting: what it is and does on the left, its control on the right. */
export function SettingRow({ label, hint, hintId, children }: SettingRowProps) {
  return (
    <div className="flex flex-wrap items-center justify-between gap-x-6 gap-y-1.5 py-2.5">
      <div className="min-w-48 flex-1">
        <div className="font-medium">{label}</div>
        {hint && (
          <p id={hintId} className="max-w-prose text-small text-quiet">
            {hint}
          </p>
        )}
      </div>
      {children}
    </div>
  );
}

interface SettingSectionProps {
  title: string;
  hint?: string;
  tools?: ReactNode;
  children: ReactNode;
}

export function SettingSection({ title, hint, tools, children }: SettingSectionProps) {
  return (
    <section aria-label={title} className="mb-8">
      <header className="mb-1 flex min-h-7 items-end justify-between">
        <div>
          <h2 className="text-body font-semibold">{title}</h2>
          {hint && <p className="text-small text-quiet">{hint}</p>}
        </div>
        {tools}
      </header>
      <div className="divide-y divide-line border-y border-line">{children}</div>
    </section>
  );
}

/** Facts that are only shown. */
export function FactRow({ label, children }: { label: string; children: ReactNode }) {
  return (
    <div className="flex flex-wrap gap-x-6 py-1.5">
      <dt className="w-36 shrink-0 text-quiet">{label}</dt>
      <dd className="selectable min-w-0 flex-1 basis-60 break-words">{children}</dd>
    </div>
  );
}
