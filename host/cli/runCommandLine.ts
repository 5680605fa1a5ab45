/** Reads the command line, runs a command, says how it went, and returns the exit status. */
import { parseArgs } from 'node:util';
import { HostError, toFailure } from '../errors.ts';
import { appVersion } from '../locations.ts';
import { dataFolderPath } from '../storage/dataFolder.ts';
import { type Command, commands } from './commands.ts';
import { usageError } from './context.ts';
import { type OptionValues, commonOptions, text } from './options.ts';
import { Output, type OutputStreams } from './output.ts';

export async function runCommandLine(argv: readonly string[], streams: OutputStreams): Promise<number> {
  const [name, ...rest] = argv;
  const output = new Output(rest.includes('--json'), streams);
  try {
    if (name === undefined || name === 'help' || name === '--help' || name === '-h') {
      streams.stdout.write(help());
      return name === undefined ? 2 : 0;
    }
    if (name === '--version') {
      streams.stdout.write(`longleaf ${appVersion()}\n`);
      return 0;
    }
    await runCommand(name, rest, output, streams);
    return 0;
  } catch (error) {
    const { code, message, remedy } = toFailure(error);
    // "Try again" is a button of the interface.
    output.note(`longleaf: ${message} ${code === 'worker-died' || code === 'worker-hung' ? 'Run the command again.' : remedy}`);
    if (process.env['LONGLEAF_DEBUG'] && error instanceof Error) output.note(error.stack ?? '');
    return code === 'usage' ? 2 : 1;
  }
}

async function runCommand(name: string, rest: string[], output: Output, { stdout }: OutputStreams): Promise<void> {
  const command = Object.hasOwn(commands, name) ? commands[name] : undefined;
  if (!command) throw usageError(`There is no command “${name}”.`, `Use one of: ${Object.keys(commands).join(', ')}.`);
  const { values, positionals } = parse(command, rest);
  if (values['help'] === true) {
    stdout.write(`longleaf ${command.usage}\n  ${command.summary}\n`);
    return;
  }
  const abort = new AbortController();
  const interrupt = () => {
    // The second time, whoever presses it means it.
    if (abort.signal.aborted) process.exit(130);
    abort.abort();
  };
  const interrupted = new Promise<void>((resolve) => abort.signal.addEventListener('abort', () => resolve()));
  process.on('SIGINT', interrupt);
  process.on('SIGTERM', interrupt);
  try {
    const dataFolder = dataFolderPath(text(values, 'data'));
    await command.run({ output, dataFolder, signal: abort.signal, interrupted }, values, positionals);
  } finally {
    process.off('SIGINT', interrupt);
    process.off('SIGTERM', interrupt);
  }
}

function parse(command: Command, args: string[]): { values: OptionValues; positionals: string[] } {
  try {
    const { values, positionals } = parseArgs({ args, options: { ...command.options, ...commonOptions }, allowPositionals: true, strict: true });
    return { values: values as OptionValues, positionals };
  } catch (error) {
    const message = error instanceof Error ? (error.message.split(/\.\s/)[0] ?? error.message) : String(error);
    throw new HostError('usage', `${message.replace(/\.$/, '')}.`, `Write: longleaf ${command.usage}`);
  }
}

function help(): string {
  const lines = Object.values(commands).map(({ usage, summary }) => `  longleaf ${usage}\n      ${summary}\n`);
  return `Longleaf reads whole books on your own machine and answers questions about them.\n\n${lines.join('')}
Every command takes --json (one JSON object a line on stdout) and --data FOLDER (where everything is kept).
Exit status: 0 success, 1 failure, 2 wrong use.\n`;
}
