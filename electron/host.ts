/** The host process: a plain Node beside Electron, talked to over Node's IPC in the words of `shell.ts`. */
import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { app } from 'electron';
import { shellReply, type ShellReply, type ShellRequest } from '../host/contract/shell.ts';

const quitDeadlineMs = 5_000;

export interface HostListener {
  onReply(reply: ShellReply): void;
  /** The process ended without having been asked to. */
  onUnexpectedEnd(cause: string): void;
}

export class Host {
  readonly #listener: HostListener;
  #process: ChildProcess | undefined;
  #ready = false;
  #quitting = false;
  /** What was sent before the host was ready. */
  #waiting: ShellRequest[] = [];

  constructor(listener: HostListener) {
    this.#listener = listener;
  }

  start(): void {
    const child = spawn(runtimeNode(), ['--enable-source-maps', join(app.getAppPath(), 'dist', 'host.js'), 'shell'], {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
      windowsHide: true,
    });
    this.#process = child;
    child.on('message', (message) => this.#receive(message));
    // Starting fails with `error`, and then there is no `exit`.
    child.once('error', (error) => this.#end(child, `It could not be started: ${error.message}.`));
    child.once('exit', (status, signal) => this.#end(child, signal ? `It was ended by ${signal}.` : `It ended with status ${status}.`));
  }

  send(request: ShellRequest): void {
    if (this.#ready) this.#process?.send(request);
    else this.#waiting.push(request);
  }

  /** Asks the host to flush and end; ends it after the deadline. */
  async quit(): Promise<void> {
    this.#quitting = true;
    const child = this.#process;
    if (!child) return;
    const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
    const deadline = setTimeout(() => child.kill('SIGKILL'), quitDeadlineMs);
    if (child.connected) child.send({ kind: 'quit' } satisfies ShellRequest);
    await ended;
    clearTimeout(deadline);
  }

  #receive(message: unknown): void {
    const reply = shellReply.safeParse(message);
    if (!reply.success) {
      console.error('The host sent what is not in the contract:', reply.error.message);
      return;
    }
    if (reply.data.kind === 'ready') {
      this.#ready = true;
      for (const request of this.#waiting.splice(0)) this.#process?.send(request);
    }
    this.#listener.onReply(reply.data);
  }

  #end(child: ChildProcess, cause: string): void {
    if (this.#process !== child) return;
    this.#process = undefined;
    this.#ready = false;
    this.#waiting = [];
    if (!this.#quitting) this.#listener.onUnexpectedEnd(cause);
  }
}

/** A packaged app carries its Node; from a checkout, `npm start` has found one. */
function runtimeNode(): string {
  const binary = process.platform === 'win32' ? 'node.exe' : 'node';
  if (app.isPackaged) return join(process.resourcesPath, 'runtime', binary);
  return process.env['LONGLEAF_RUNTIME_NODE'] ?? binary;
}
