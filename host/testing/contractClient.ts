/** The interface's own client over a real WebSocket. */
import { once } from 'node:events';
import { onTestFinished } from 'vitest';
import { WebSocket } from 'ws';
import { ContractClient } from '../contract/client.ts';
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

export async function connectClient(port: number, cookie: string): Promise<ContractClient> {
  const origin = `http://127.0.0.1:${port}`;
  const socket = new WebSocket(`ws://127.0.0.1:${port}/contract`, { headers: { cookie, origin } });
  onTestFinished(() => socket.terminate());
  await once(socket, 'open');
  return new ContractClient(connectionOver(socket));
}
