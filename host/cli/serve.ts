/** `longleaf serve`: the interface in a browser. */
import { spawn } from 'node:child_process';
import { HostError } from '../errors.ts';
import { rendererFolder } from '../locations.ts';
import { MovingHost } from '../moving/movingHost.ts';
import { startHttpServer } from '../server/httpServer.ts';
import type { CommandContext } from './context.ts';

/** Easy to remember; another is taken when it is in use and nobody asked for this one. */
const usualPort = 7717;

export interface ServeOptions {
  port: number | undefined;
  openBrowser: boolean;
}

export async function serve({ output, dataFolder, interrupted }: CommandContext, options: ServeOptions): Promise<void> {
  const hosts = await MovingHost.open({ dataFolder, takesPaths: true });
  try {
    const server = await startOnSomePort(options.port, (port) => startHttpServer(hosts, { port, rendererFolder: rendererFolder() }));
    hosts.begin();
    const url = server.openUrl();
    output.event({ event: 'serving', url, port: server.port });
    output.note(`Longleaf is at ${url}`);
    output.note('The address works once, for one browser. Press Ctrl+C to stop.');
    if (options.openBrowser) openInBrowser(url, () => output.note('No browser could be opened: open the address yourself.'));
    await interrupted;
    output.note('Closing…');
    await server.close();
  } finally {
    await hosts.close();
  }
  output.event({ event: 'done' });
}

async function startOnSomePort<T>(wanted: number | undefined, start: (port: number) => Promise<T>): Promise<T> {
  if (wanted !== undefined) return start(wanted);
  try {
    return await start(usualPort);
  } catch (error) {
    if (error instanceof HostError && error.code === 'port-in-use') return start(0);
    throw error;
  }
}

function openInBrowser(url: string, failed: () => void): void {
  const [command, ...leading] = { darwin: ['open'], win32: ['cmd', '/c', 'start', ''] }[process.platform as string] ?? ['xdg-open'];
  const child = spawn(command ?? 'xdg-open', [...leading, url], { stdio: 'ignore', detached: true });
  child.once('error', failed);
  child.once('exit', (code) => code !== 0 && failed());
  child.unref();
}
