/** A browser's side of the served interface: its session, and the contract over a real WebSocket. */
import type { WebSocket } from 'ws';
import type { Connection } from '../contract/wire.ts';

export function connectionOver(socket: WebSocket): Connection {
  return {
    send: (message) => socket.send(JSON.stringify(message)),
    onMessage: (listener) => socket.on('message', (data) => listener(JSON.parse(String(data)))),
    onClose: (listener) => socket.on('close', () => listener()),
    close: () => socket.close(),
  };
}

/** Opens the single-use URL as a browser would and returns the cookie. */
export async function openSession(url: string): Promise<string> {
  const response = await fetch(url, { redirect: 'manual' });
  const cookie = response.headers.get('set-cookie')?.split(';')[0];
  if (response.status !== 303 || !cookie) throw new Error(`no session: ${response.status} ${await response.text()}`);
  return cookie;
}
