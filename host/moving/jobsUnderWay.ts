import type { Host } from '../host.ts';

/** How many things the host is doing or about to do by itself. */
export function jobsUnderWay({ chat, readings, sweeps, downloads }: Host): number {
  const states = [...readings.list(), ...sweeps.list(), ...downloads.list()].map(({ state }) => state);
  return chat.running + states.filter((state) => underWay.has(state)).length;
}

const underWay = new Set(['queued', 'loading', 'reading', 'running', 'starting', 'downloading', 'waiting', 'verifying']);
