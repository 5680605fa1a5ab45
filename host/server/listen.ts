/** Listening on this machine's own address, with failures that say what to do. */
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { HostError, systemErrorCode } from '../errors.ts';

/** Resolves to the port; 0 takes any that is free. @throws `port-in-use`, `port-not-allowed`. */
export function listenLocally(server: Server, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', (error) => reject(portFailure(port, error)));
    server.listen(port, '127.0.0.1', () => resolve((server.address() as AddressInfo).port));
  });
}

function portFailure(port: number, error: Error): HostError {
  const code = systemErrorCode(error);
  if (code === 'EADDRINUSE') {
    return new HostError(
      'port-in-use',
      `Port ${port} on 127.0.0.1 is in use by another program.`,
      'Choose another with --port N, or --port 0 for any that is free.',
      { cause: error },
    );
  }
  return new HostError('port-not-allowed', `Port ${port} on 127.0.0.1 cannot be opened (${code ?? error.message}).`, 'Choose a port above 1023 with --port N.', {
    cause: error,
  });
}
