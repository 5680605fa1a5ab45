import { serveContract } from '../contractServer.ts';
import type { Host } from '../host.ts';
import type { ServedHost } from '../server/httpServer.ts';

/** A host whose folder does not move. */
export function servedHost(host: Host): ServedHost {
  return { current: () => host, connect: (connection) => serveContract(connection, host.handlers, host.events) };
}
