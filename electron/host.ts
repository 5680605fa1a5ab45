/** The host process: a plain Node beside Electron, talked to over Node's IPC in the words of `shell.ts`. */
import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { app } from 'electron';
import { Heartbeat } from '../host/contract/heartbeat.ts';
import { shellReply, type ShellReply, type ShellRequest } from '../host/contract/shell.ts';

const quitDeadlineMs = 5_000;
const pingEveryMs = 2_000;
/** It never computes for long, but it may check a large database when it starts. */
const hangAfterMs = Number(process.env['LONGLEAF_TEST_HANG_MS'] ?? 30_000);
const startWithinMs = 180_000;

export interface HostListener {
  onReply(reply: ShellReply): void;
  /** The process ended without having been asked to. */
  onUnexpectedEnd(cause: string): void;
}

interface Waiting {
  request: ShellRequest;
  taken?: () => void;
}

export class Host {
  readonly #listener: HostListener;
  #process: ChildProcess | undefined;
  #heartbeat: Heartbeat | undefined;
  #ready = false;
  #hung = false;
  /** It has said why it cannot start: its end is no surprise. */
  #saidWhy = false;
  #quitting = false;
  /** What was sent before the host was ready. */
  #waiting: Waiting[] = [];

  constructor(listener: HostListener) {
    this.#listener = listener;
  }

  /** `restoreBackup`: the newest sound backup takes the place of a damaged database first. */
  start({ restoreBackup = false } = {}): void {
    const child = spawn(runtimeNode(), ['--enable-source-maps', hostEntry(), 'shell', ...(restoreBackup ? ['--restore-backup'] : [])], {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
      env: { ...process.env, ...compiledCode() },
      windowsHide: true,
    });
    this.#process = child;
    this.#hung = false;
    this.#saidWhy = false;
    this.#heartbeat = this.#startHeartbeat(child);
    child.on('message', (message) => this.#receive(message));
    // Starting fails with `error`, and then there is no `exit`.
    child.once('error', (error) => this.#end(child, `It could not be started: ${error.message}.`));
    child.once('exit', (status, signal) => this.#end(child, endOf(status, signal, this.#hung)));
  }

  /** Throws for what is not JSON. `taken` is called when it has left this process, or never will. */
  send(request: ShellRequest, taken?: () => void): void {
    if (this.#ready && this.#process) post(this.#process, request, taken);
    else this.#waiting.push({ request, taken });
  }

  /** Asks the host to flush and end; ends it after the deadline. */
  async quit(): Promise<void> {
    this.#quitting = true;
    this.#heartbeat?.stop();
    const child = this.#process;
    if (!child) return;
    const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
    const deadline = setTimeout(() => child.kill('SIGKILL'), quitDeadlineMs);
    post(child, { kind: 'quit' });
    await ended;
    clearTimeout(deadline);
  }

  #startHeartbeat(child: ChildProcess): Heartbeat {
    const heartbeat = new Heartbeat(
      {
        everyMs: pingEveryMs,
        patienceMs: () => (this.#ready ? hangAfterMs : startWithinMs),
        ping: () => post(child, { kind: 'ping' }),
        onHang: () => {
          this.#hung = true;
          child.kill('SIGKILL');
        },
      },
      true,
    );
    heartbeat.start();
    return heartbeat;
  }

  #receive(message: unknown): void {
    const reply = shellReply.safeParse(message);
    if (!reply.success) {
      console.error('The host sent what is not in the contract:', reply.error.message);
      return;
    }
    this.#heartbeat?.heard();
    if (reply.data.kind === 'pong') return;
    if (reply.data.kind === 'fatal') this.#saidWhy = true;
    if (reply.data.kind === 'ready') {
      this.#ready = true;
      for (const { request, taken } of this.#waiting.splice(0)) this.send(request, taken);
    }
    this.#listener.onReply(reply.data);
  }

  #end(child: ChildProcess, cause: string): void {
    if (this.#process !== child) return;
    this.#heartbeat?.stop();
    this.#process = undefined;
    this.#ready = false;
    if (!this.#saidWhy) this.#waiting = [];
    if (!this.#quitting && !this.#saidWhy) this.#listener.onUnexpectedEnd(cause);
  }
}

/** A channel that has closed shows as the end of the process, not as a failure to send. */
function post(child: ChildProcess, request: ShellRequest, taken?: () => void): void {
  if (child.connected) child.send(request, () => taken?.());
}

function endOf(status: number | null, signal: NodeJS.Signals | null, hung: boolean): string {
  if (hung) return `It gave no sign of life for ${hangAfterMs / 1000} seconds and was ended.`;
  return signal ? `It was ended by ${signal}.` : `It ended with status ${status}.`;
}

/** Node cannot read the archive that holds a packaged app: the host lies beside it. */
function hostEntry(): string {
  return app.isPackaged ? join(process.resourcesPath, 'host', 'dist', 'host.js') : join(app.getAppPath(), 'dist', 'host.js');
}

/**
 * Host and GPU worker keep their compiled code beside Chromium's, by the path of their source, for the next start. An
 * AppImage lies somewhere else at every start.
 */
function compiledCode(): NodeJS.ProcessEnv {
  return process.env['APPIMAGE'] ? {} : { NODE_COMPILE_CACHE: join(app.getPath('userData'), 'compiled') };
}

/** A packaged app carries its Node; from a checkout, `npm start` has found one. */
function runtimeNode(): string {
  const binary = process.platform === 'win32' ? 'node.exe' : 'node';
  if (app.isPackaged) return join(process.resourcesPath, 'runtime', binary);
  return process.env['LONGLEAF_RUNTIME_NODE'] ?? binary;
}
