/** What is under way, for the desktop: shown while it lasts, told when it has ended. Derived from what windows are told. */
import type { EventName, EventPayload } from './contract/methods.ts';
import type { Job, ShellReply } from './contract/shell.ts';
import type { HostEvents } from './events.ts';

type Outcome = Extract<ShellReply, { kind: 'job-ended' }>['outcome'];

/** A job as an event tells of it. */
interface News {
  id: string;
  kind: Job['kind'];
  /** `running`: it has begun or got ahead. `null`: nothing is known but that it exists. */
  state: 'running' | Outcome;
  fraction: number | null;
}

/** Progress comes many times a second; the desktop shows whole per cents. */
const reportEveryMs = 500;

/** Tells `send` of jobs until the process ends. */
export function followJobs(events: HostEvents, send: (reply: ShellReply) => void, nowMs = () => performance.now()): void {
  const running = new Map<string, { job: Job; startedAtMs: number }>();
  let timer: NodeJS.Timeout | undefined;
  const report = () => {
    clearTimeout(timer);
    timer = undefined;
    send({ kind: 'jobs', jobs: [...running.values()].map(({ job }) => job) });
  };
  events.subscribe((name, payload) => {
    const news = newsOf(name, payload);
    if (!news) return;
    const { id, kind, state, fraction } = news;
    const known = running.get(id);
    if (state === 'running') {
      running.set(id, { job: { id, kind, fraction: fraction ?? known?.job.fraction ?? null }, startedAtMs: known?.startedAtMs ?? nowMs() });
      if (known) timer ??= setTimeout(report, reportEveryMs).unref();
      else report();
    } else if (known) {
      running.delete(id);
      report();
      send({ kind: 'job-ended', job: known.job, outcome: state, durationMs: nowMs() - known.startedAtMs });
    }
  });
}

function newsOf<E extends EventName>(name: E, payload: EventPayload<E>): News | undefined {
  switch (name) {
    case 'downloads.changed':
      return newsOfDownload(payload as EventPayload<'downloads.changed'>);
    case 'readings.changed':
      return newsOfReading(payload as EventPayload<'readings.changed'>);
    case 'readings.removed':
      return { id: (payload as EventPayload<'readings.removed'>).readingId, kind: 'reading', state: 'stopped', fraction: null };
    case 'answer.progress': {
      const { messageId, phase, done, total } = payload as EventPayload<'answer.progress'>;
      return { id: messageId, kind: 'answer', state: 'running', fraction: phase === 'reading' ? part(done, total) : null };
    }
    case 'message.changed': {
      const { id, role, state } = payload as EventPayload<'message.changed'>;
      if (role !== 'assistant') return undefined;
      const outcomes = { complete: 'done', streaming: 'running', stopped: 'stopped', failed: 'failed', interrupted: 'failed' } as const;
      return { id, kind: 'answer', state: outcomes[state], fraction: null };
    }
    default:
      return undefined;
  }
}

function newsOfDownload({ id, state, doneBytes, totalBytes }: EventPayload<'downloads.changed'>): News {
  const outcomes: Partial<Record<typeof state, Outcome>> = { done: 'done', failed: 'failed', cancelled: 'stopped' };
  return { id, kind: 'download', state: outcomes[state] ?? 'running', fraction: part(doneBytes, totalBytes) };
}

function newsOfReading({ id, state, doneTokens, totalTokens, failure }: EventPayload<'readings.changed'>): News {
  const base = { id, kind: 'reading', fraction: part(doneTokens, totalTokens) } as const;
  if (state === 'loading' || state === 'reading') return { ...base, state: 'running' };
  if (state === 'done') return { ...base, state: 'done' };
  // A reading that waits for its turn is not under way; one that a full disk paused has failed for now.
  return { ...base, state: state === 'failed' || (state === 'paused' && failure) ? 'failed' : 'stopped' };
}

function part(done: number, total: number): number | null {
  return total > 0 ? Math.min(1, done / total) : null;
}
