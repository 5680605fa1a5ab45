/** The interface's own client over a real WebSocket, which ends with the test. */
import { once } from 'node:events';
import { onTestFinished } from 'vitest';
import { WebSocket } from 'ws';
import { ContractClient } from '../contract/client.ts';
import { connectionOver } from './webSocketClient.ts';

export async function connectClient(port: number, cookie: string): Promise<ContractClient> {
  const origin = `http://127.0.0.1:${port}`;
  const socket = new WebSocket(`ws://127.0.0.1:${port}/contract`, { headers: { cookie, origin } });
  onTestFinished(() => socket.terminate());
  await once(socket, 'open');
  return new ContractClient(connectionOver(socket));
}
