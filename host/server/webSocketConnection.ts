import type { WebSocket } from 'ws';
import type { HostConnection } from '../contractServer.ts';

export function webSocketConnection(socket: WebSocket): HostConnection {
  // An error is always followed by the close event.
  socket.on('error', () => undefined);
  return {
    send: (message) => socket.send(JSON.stringify(message), () => undefined),
    onMessage: (listener) => {
      socket.on('message', (data) => {
        let message: unknown;
        try {
          message = JSON.parse(String(data));
        } catch {
          socket.close(1007, 'not JSON');
          return;
        }
        listener(message);
      });
    },
    onClose: (listener) => socket.on('close', () => listener()),
    close: () => socket.terminate(),
    bufferedBytes: () => socket.bufferedAmount,
  };
}
