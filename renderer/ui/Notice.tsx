import { clsx } from 'clsx';
import { CircleAlert, Info, TriangleAlert } from 'lucide-react';
import type { ReactNode } from 'react';
import { said } from '../app/said/said.ts';

interface NoticeProps {
  tone: 'danger' | 'warning' | 'info';
  /** What and why. */
  message: ReactNode;
  /** What to do. */
  remedy?: ReactNode;
  actions?: ReactNode;
  className?: string;
}

const tones = {
  danger: { box: 'border-danger-line bg-danger-soft', icon: CircleAlert, iconStyle: 'text-danger-text' },
  warning: { box: 'border-warning-line bg-warning-soft', icon: TriangleAlert, iconStyle: 'text-warning-text' },
  info: { box: 'border-line bg-sunken', icon: Info, iconStyle: 'text-quiet' },
};

/** What the host says is said in the language of the window. */
function inWords(text: ReactNode): ReactNode {
  return typeof text === 'string' ? said(text) : text;
}

/** A failure or a warning in its place: message, remedy, and what can be done about it. */
export function Notice({ tone, message, remedy, actions, className }: NoticeProps) {
  const { box, icon: Icon, iconStyle } = tones[tone];
  return (
    <div role={tone === 'danger' ? 'alert' : 'note'} className={clsx('flex flex-wrap items-start gap-x-3 gap-y-2 rounded-lg border px-3 py-2', box, className)}>
      <Icon size={16} strokeWidth={1.75} className={clsx('mt-0.5', iconStyle)} aria-hidden />
      <div className="selectable min-w-48 flex-1">
        <p className={tone === 'info' ? undefined : 'font-medium'}>{inWords(message)}</p>
        {remedy && <p className="text-quiet">{inWords(remedy)}</p>}
      </div>
      {actions && <div className="flex gap-2">{actions}</div>}
    </div>
  );
}
