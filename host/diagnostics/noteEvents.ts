/** Writes down what goes wrong and what changes; no progress, no texts. */
import type { Failure } from '../contract/entities.ts';
import type { EventName, EventPayload } from '../contract/methods.ts';
import type { HostEvents } from '../events.ts';
import type { LogFile } from './logFile.ts';

const told = (failure: Failure | null) => (failure ? `${failure.code}: ${failure.message}` : '');

export function noteEvents(events: HostEvents, log: LogFile): void {
  let workerState = '';
  events.subscribe((name, payload) => {
    if (name === 'worker.status') {
      const { state, failure, adapter } = payload as EventPayload<'worker.status'>;
      if (state === workerState) return;
      workerState = state;
      log.note('worker', state, told(failure) || (state === 'ready' ? (adapter?.name ?? '') : ''));
      return;
    }
    const line = lineOf(name, payload);
    if (line) log.note('host', line.event, line.detail);
  });
}

function lineOf<E extends EventName>(name: E, payload: EventPayload<E>): { event: string; detail: string } | undefined {
  switch (name) {
    case 'downloads.changed': {
      const { state, failure, source } = payload as EventPayload<'downloads.changed'>;
      return state === 'downloading' ? undefined : { event: `download ${state}`, detail: failure ? told(failure) : source };
    }
    case 'readings.changed': {
      const { state, failure, doneTokens, totalTokens } = payload as EventPayload<'readings.changed'>;
      return state === 'reading' ? undefined : { event: `reading ${state}`, detail: told(failure) || `${doneTokens} of ${totalTokens} tokens` };
    }
    case 'message.changed': {
      const { role, state, failure } = payload as EventPayload<'message.changed'>;
      return role === 'assistant' && state !== 'streaming' ? { event: `answer ${state}`, detail: told(failure) } : undefined;
    }
    case 'models.changed':
      return { event: 'models', detail: String((payload as EventPayload<'models.changed'>).length) };
    default:
      return undefined;
  }
}
