/** The host's single entry: `main.ts COMMAND …` on the command line, `main.ts shell` under Electron. */
import { runCommandLine } from './cli/runCommandLine.ts';
import { runShell } from './shell.ts';
import { dataFolderPath } from './storage/dataFolder.ts';

const [command, ...rest] = process.argv.slice(2);
if (command === 'shell') {
  const dataOption = rest.indexOf('--data');
  await runShell({ dataFolder: dataFolderPath(dataOption < 0 ? undefined : rest[dataOption + 1]), restoreBackup: rest.includes('--restore-backup') });
} else {
  // A reader that has seen enough (`| head`) is no error.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1));
  process.exitCode = await runCommandLine(process.argv.slice(2), process);
}
