import { type Host, openHost } from '../host.ts';
import type { CommandContext } from './context.ts';

/** The host, for the time of a command. */
export async function withHost(context: CommandContext, work: (host: Host) => Promise<void>): Promise<void> {
  const host = await openHost({ dataFolder: context.dataFolder });
  try {
    await work(host);
  } finally {
    await host.close();
  }
}
