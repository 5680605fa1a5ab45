/** One line over everything when the connection or the GPU process is not well. */
import { useEffect, useState } from 'react';
import { useStore } from 'zustand';
import { useSettings } from '../features/settings/store.ts';
import { Button } from '../ui/Button.tsx';
import { Spinner } from '../ui/Spinner.tsx';
import { actions } from './actions/actions.ts';
import { host } from './connection/session.ts';
import { said } from './said/said.ts';
import { strings } from './strings.ts';

/** `quiet`: the screen itself says how the GPU process is. */
export function Banner({ quiet }: { quiet: boolean }) {
  const link = useStore(host.link);
  const worker = useSettings((state) => state.worker);
  if (link.phase === 'lost') return <LostBanner attempts={link.attempts} retryAtMs={link.retryAtMs} />;
  if (quiet) return null;
  if (worker.state === 'restarting') return <BannerLine busy text={worker.failure?.message ?? strings.worker.restarting} detail={worker.failure?.remedy} />;
  if (worker.state === 'failed' || worker.state === 'stopped') {
    return (
      <BannerLine
        tone="danger"
        text={worker.failure?.message ?? strings.worker[worker.state]}
        detail={worker.failure?.remedy}
        action={{ label: strings.worker.restart, perform: () => actions.perform('worker.restart') }}
      />
    );
  }
  return null;
}

function LostBanner({ attempts, retryAtMs }: { attempts: number; retryAtMs: number }) {
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), 500);
    return () => clearInterval(timer);
  }, []);
  const seconds = Math.ceil((retryAtMs - now) / 1000);
  const retrying = seconds > 0 ? strings.link.retrying(seconds) : strings.link.retryingNow;
  return (
    <BannerLine
      busy
      text={strings.link.lost}
      detail={attempts > 4 && !window.longleaf ? strings.link.sessionHint : retrying}
      action={{ label: strings.link.retry, perform: () => host.retryNow() }}
    />
  );
}

interface BannerLineProps {
  text: string;
  detail?: string;
  tone?: 'warning' | 'danger';
  busy?: boolean;
  action?: { label: string; perform(): void };
}

function BannerLine({ text, detail, tone = 'warning', busy, action }: BannerLineProps) {
  const colours = tone === 'danger' ? 'border-danger-line bg-danger-soft' : 'border-warning-line bg-warning-soft';
  return (
    <div role="status" data-testid="banner" className={`flex min-h-9 shrink-0 flex-wrap items-center gap-x-2.5 gap-y-1 border-b px-4 py-1 ${colours}`}>
      {busy && <Spinner />}
      <span className="font-medium">{said(text)}</span>
      {detail && <span className="text-quiet">{said(detail)}</span>}
      {action && (
        <Button className="ml-auto" onClick={action.perform}>
          {action.label}
        </Button>
      )}
    </div>
  );
}
