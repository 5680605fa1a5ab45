/**
 * Parses one document in a process of its own, which may read that document only and write into one folder only
 * (Node's permission model), has a limit on memory, and is killed when it takes too long or says nothing.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { readFile, realpath } from 'node:fs/promises';
import { join } from 'node:path';
import type { ParsedDocument } from '../contract/documentModel.ts';
import { HostError, RelayedError } from '../errors.ts';
import { parserCode, parserEntry, pdfDataFolder } from '../locations.ts';
import { formatBytes, quoted } from '../wording.ts';
import { type ParserRequest, parserReply } from './parser/protocol.ts';

export interface ParserLimits {
  /** Of its JavaScript objects, and of all it holds where the system tells (Linux). */
  heapBytes: number;
  residentBytes: number;
  /** From start to end. */
  withinMs: number;
  /** Between two signs that it gets ahead. */
  silentMs: number;
}

export const defaultParserLimits: ParserLimits = { heapBytes: 2 * 1024 ** 3, residentBytes: 4 * 1024 ** 3, withinMs: 20 * 60_000, silentMs: 5 * 60_000 };

const watchEveryMs = 250;
const lastWordsCharacters = 4000;

export interface ParserOptions {
  limits?: Partial<ParserLimits>;
  onProgress?(done: number, total: number): void;
  /** Tests put programs in its place that misbehave. */
  entry?: string;
}

/**
 * @param output a folder that is there and empty; `parse.ts` names what is in it afterwards
 * @throws what the parser refused; `document-too-slow`, `document-too-much-memory`
 */
export async function parseInProcess(path: string, name: string, output: string, options: ParserOptions = {}): Promise<ParsedDocument> {
  const limits = { ...defaultParserLimits, ...options.limits };
  // The permission model knows real paths only.
  const request: ParserRequest = { path: await realpath(path), name, output: await realpath(output), pdfData: pdfDataFolder() };
  const entry = options.entry ?? parserEntry();
  const child = fork(entry, [], {
    env: inherited(),
    execArgv: [
      '--permission',
      ...[...parserCode(), entry, request.pdfData, join(request.pdfData, '*'), request.path, join(request.path, '*'), join(request.output, '*')].map((each) => `--allow-fs-read=${each}`),
      `--allow-fs-write=${join(request.output, '*')}`,
      '--disallow-code-generation-from-strings',
      '--disable-warning=ExperimentalWarning',
      '--disable-warning=SecurityWarning',
      `--max-old-space-size=${Math.floor(limits.heapBytes / 1024 ** 2)}`,
    ],
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  return new Promise((resolve, reject) => watch(child, request, limits, options, resolve, reject));
}

function watch(child: ChildProcess, { name, ...request }: ParserRequest, limits: ParserLimits, { onProgress }: ParserOptions, resolve: (document: ParsedDocument) => void, reject: (error: Error) => void): void {
  const startMs = Date.now();
  let heardMs = startMs;
  let lastWords = '';
  let outcome: ParsedDocument | Error | undefined;
  const kill = (error: Error) => {
    outcome ??= error;
    child.kill('SIGKILL');
  };
  const timer = setInterval(() => {
    const now = Date.now();
    if (now - startMs > limits.withinMs) kill(tooSlow(name, `it took longer than ${duration(limits.withinMs)}`));
    else if (now - heardMs > limits.silentMs) kill(tooSlow(name, `its parser got nowhere for ${duration(limits.silentMs)}`));
    else void residentBytes(child.pid).then((bytes) => bytes !== undefined && bytes > limits.residentBytes && kill(tooMuchMemory(name, limits.residentBytes)));
  }, watchEveryMs);
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (text: string) => (lastWords = (lastWords + text).slice(-lastWordsCharacters)));
  }
  child.on('message', (message) => {
    heardMs = Date.now();
    const parsed = parserReply.safeParse(message);
    if (!parsed.success) return;
    const reply = parsed.data;
    if (reply.kind === 'progress') onProgress?.(reply.done, reply.total);
    else outcome ??= reply.kind === 'parsed' ? reply.document : new RelayedError(reply.failure);
  });
  child.once('error', (error) => (outcome ??= error));
  child.once('close', (code, signal) => {
    clearInterval(timer);
    if (outcome instanceof Error) reject(outcome);
    else if (outcome) resolve(outcome);
    else if (/heap out of memory|Array buffer allocation failed/i.test(lastWords)) reject(tooMuchMemory(name, limits.heapBytes));
    else reject(ended(name, signal ? `signal ${signal}` : `exit code ${code}`, lastWords));
  });
  child.send({ name, ...request }, () => undefined);
}

/** Nothing of what this process was told, but what Windows needs to start one. */
function inherited(): NodeJS.ProcessEnv {
  const root = process.env['SystemRoot'];
  return root === undefined ? {} : { SystemRoot: root };
}

/** What a process holds in memory; unknown but on Linux. */
async function residentBytes(pid: number | undefined): Promise<number | undefined> {
  if (process.platform !== 'linux' || pid === undefined) return undefined;
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
  const kibibytes = /^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1];
  return kibibytes === undefined ? undefined : Number(kibibytes) * 1024;
}

function tooSlow(name: string, why: string): HostError {
  return new HostError('document-too-slow', `${quoted(name)} could not be read in time: ${why}.`, 'Split it into smaller files, or export it as plain text and add that.');
}

function tooMuchMemory(name: string, limitBytes: number): HostError {
  return new HostError('document-too-much-memory', `${quoted(name)} could not be read: it needs more than ${formatBytes(limitBytes)} of memory.`, 'Split it into smaller files, or export it as plain text and add that.');
}

function ended(name: string, how: string, lastWords: string): HostError {
  const why = lastWords.trim().split('\n').find((line) => /error/i.test(line)) ?? '';
  return new HostError('document-damaged', `${quoted(name)} could not be read: its parser ended (${how}${why === '' ? '' : `, ${why.trim().slice(0, 200)}`}).`, 'Export it as plain text and add that; the file may be damaged.');
}

function duration(milliseconds: number): string {
  return milliseconds < 120_000 ? `${milliseconds / 1000} s` : `${Math.round(milliseconds / 60_000)} minutes`;
}
