/** The two ways to the host: the preload script's bridge in Electron, a WebSocket in a browser. */
import type { ShellBridge } from '../../../host/contract/shell.ts';
import type { Connection } from '../../../host/contract/wire.ts';

export type OpenConnection = () => Promise<Connection>;

export function overBridge(bridge: ShellBridge): OpenConnection {
  return () => {
    const port = bridge.connect();
    return Promise.resolve({ send: port.send, onMessage: port.onMessage, onClose: port.onClose, close: () => undefined });
  };
}

export function overSocket(url: string): OpenConnection {
  return () =>
    new Promise((resolve, reject) => {
      const socket = new WebSocket(url);
      socket.addEventListener('error', () => reject(new Error('The host cannot be reached.')), { once: true });
      socket.addEventListener('open', () => resolve(connectionOf(socket)), { once: true });
    });
}

function connectionOf(socket: WebSocket): Connection {
  return {
    send: (message) => socket.send(JSON.stringify(message)),
    onMessage: (listener) => socket.addEventListener('message', (event) => listener(JSON.parse(String(event.data)))),
    onClose: (listener) => socket.addEventListener('close', () => listener(), { once: true }),
    close: () => socket.close(),
  };
}

/** How this window reaches the host. */
export function transportOfThisWindow(): OpenConnection {
  if (window.longleaf) return overBridge(window.longleaf);
  const address = new URL('contract', window.location.href);
  address.protocol = address.protocol === 'https:' ? 'wss:' : 'ws:';
  return overSocket(address.href);
}
