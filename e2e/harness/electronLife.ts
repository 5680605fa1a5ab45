/** Longleaf with its window, to be killed at any moment: started as a person starts it, without a driver beside it. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { ContractClient } from '../../host/contract/client.ts';
import { childrenOf, commandOf } from '../../host/testing/childrenOf.ts';
import type { StartLife } from '../../host/testing/kills/life.ts';
import { PageDebugger } from './pageDebugger.ts';

/** `executable`: what `npm run package` makes. */
export function electronLives(executable: string, environment: NodeJS.ProcessEnv = {}): StartLife {
  return (dataFolder) => {
    // Chromium refuses to run its sandbox as root.
    const flags = process.getuid?.() === 0 ? ['--no-sandbox'] : [];
    const child = spawn(executable, [...flags, '--remote-debugging-port=0', `--user-data-dir=${join(dataFolder, '..', 'electron')}`], {
      env: { ...process.env, ...environment, LONGLEAF_DATA: dataFolder },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    const processId = child.pid ?? -1;
    const gone = once(child, 'exit');
    let said = '';
    const page = new Promise<number>((resolve, reject) => {
      child.stderr.setEncoding('utf8').on('data', (text: string) => {
        said = (said + text).slice(-4000);
        const port = /DevTools listening on ws:\/\/127\.0\.0\.1:(\d+)\//.exec(said)?.[1];
        if (port !== undefined) resolve(Number(port));
      });
      child.once('exit', (status, signal) => reject(new Error(`Electron ended (${signal ?? `status ${status}`}) before its window was there:\n${said}`)));
    }).then((port) => Promise.race([PageDebugger.open(port), gone.then(() => Promise.reject(new Error(`Electron ended:\n${said}`)))]));
    // Whoever waits for it hears of it.
    page.catch(() => undefined);
    return {
      root: 'main',
      processId,
      hostProcessId: () => childrenOf(processId).find((one) => commandOf(one).includes('host.js')),
      connect: async () => {
        const connection = await (await page).connect();
        return { client: new ContractClient(connection), closed: new Promise<void>((resolve) => connection.onClose(resolve)) };
      },
      quit: async () => {
        child.kill('SIGTERM');
        await gone;
      },
      kill: async () => {
        child.kill('SIGKILL');
        await gone;
      },
    };
  };
}
