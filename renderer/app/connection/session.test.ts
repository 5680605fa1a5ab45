import { describe, expect, it, vi } from 'vitest';
import type { Connection } from '../../../host/contract/wire.ts';
import { HostSession, pauseBeforeAttempt } from './session.ts';

function scriptedConnection() {
  const closers: (() => void)[] = [];
  const receivers: ((message: unknown) => void)[] = [];
  const sent: unknown[] = [];
  const connection: Connection = {
    send: (message) => sent.push(message),
    onMessage: (listener) => receivers.push(listener),
    onClose: (listener) => closers.push(listener),
    close: () => undefined,
  };
  return {
    connection,
    sent,
    receive: (message: unknown) => receivers.forEach((listener) => listener(message)),
    drop: () => closers.forEach((listener) => listener()),
  };
}

describe('HostSession', () => {
  it('keeps listeners across a lost connection and connects again', async () => {
    vi.useFakeTimers();
    const connections = [scriptedConnection(), scriptedConnection()];
    let opened = 0;
    const session = new HostSession();
    const removed = vi.fn();
    const onOpen = vi.fn();
    session.on('conversation.removed', removed);
    session.onOpen(onOpen);
    session.start(() => Promise.resolve(connections[opened++].connection));
    await vi.advanceTimersByTimeAsync(0);
    expect(session.link.getState()).toEqual({ phase: 'open' });

    connections[0].drop();
    expect(session.link.getState()).toMatchObject({ phase: 'lost', attempts: 1 });
    await expect(session.call('models.list', {})).rejects.toThrow('not connected');

    await vi.advanceTimersByTimeAsync(pauseBeforeAttempt(0));
    expect(session.link.getState()).toEqual({ phase: 'open' });
    expect(onOpen).toHaveBeenCalledTimes(2);
    connections[1].receive({ kind: 'event', name: 'conversation.removed', payload: { conversationId: 'c1' } });
    expect(removed).toHaveBeenCalledWith({ conversationId: 'c1' });
    vi.useRealTimers();
  });

  it('rejects calls that were under way when the connection ended', async () => {
    const { connection, drop } = scriptedConnection();
    const session = new HostSession();
    session.start(() => Promise.resolve(connection));
    await Promise.resolve();
    await Promise.resolve();
    const call = session.call('models.list', {});
    drop();
    await expect(call).rejects.toMatchObject({
      failure: {
        code: 'host-gone',
        message: 'The connection to Longleaf’s host process ended.',
        remedy: 'Wait for it to come back, or restart Longleaf.',
      },
    });
  });

  it('pauses longer after each attempt, up to ten seconds', () => {
    expect([0, 1, 2, 20].map(pauseBeforeAttempt)).toEqual([300, 600, 1200, 10_000]);
  });
});
