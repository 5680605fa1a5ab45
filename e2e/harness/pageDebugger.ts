/**
 * A window of a running Longleaf from outside, over Chromium's debugger: opens connections to the host as the page itself
 * would. Playwright cannot attach to an Electron that it did not start.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { WebSocket } from 'ws';
import * as z from 'zod';
import type { Connection } from '../../host/contract/wire.ts';

const targets = z.array(z.object({ type: z.string(), url: z.string(), webSocketDebuggerUrl: z.string() }));
const incoming = z.object({ id: z.number().optional(), method: z.string().optional(), params: z.unknown().optional(), result: z.unknown().optional() });
const bindingCall = z.object({ name: z.string(), payload: z.string() });
const heard = z.object({ connection: z.number(), message: z.unknown().optional() });
const evaluated = z.object({ result: z.object({ value: z.unknown().optional() }) });

/** What the page calls with everything that comes. */
const binding = 'longleafHeard';
const openWithinMs = 30_000;

interface PageConnection {
  onMessage: ((message: unknown) => void)[];
  onClose: (() => void)[];
}

export class PageDebugger {
  readonly #socket: WebSocket;
  readonly #pending = new Map<number, (result: unknown) => void>();
  readonly #connections: PageConnection[] = [];
  #nextId = 1;

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.on('message', (data) => this.#receive(JSON.parse(String(data))));
    socket.on('error', () => socket.terminate());
    socket.on('close', () => {
      for (const { onClose } of this.#connections) for (const listener of onClose) listener();
    });
  }

  /** `port`: Chromium's, of `--remote-debugging-port`. Waits for the window and its preload script. */
  static async open(port: number): Promise<PageDebugger> {
    const giveUpAtMs = performance.now() + openWithinMs;
    for (;;) {
      const page = await findPage(port).catch(() => undefined);
      if (page) return PageDebugger.#attach(page);
      if (performance.now() > giveUpAtMs) throw new Error(`Electron showed no window within ${openWithinMs / 1000} s`);
      await pause(20);
    }
  }

  static async #attach(url: string): Promise<PageDebugger> {
    const socket = new WebSocket(url);
    await new Promise<void>((resolve, reject) => socket.once('open', resolve).once('error', reject));
    const page = new PageDebugger(socket);
    await page.#command('Runtime.enable', {});
    await page.#command('Runtime.addBinding', { name: binding });
    while ((await page.#evaluate('document.readyState !== "loading" && typeof window.longleaf')) !== 'object') await pause(20);
    return page;
  }

  async connect(): Promise<Connection> {
    const connection: PageConnection = { onMessage: [], onClose: [] };
    const number = this.#connections.push(connection) - 1;
    const tell = (message: string) => `${binding}(JSON.stringify({ connection: ${number}, message: ${message} }))`;
    await this.#evaluate(`{
      const connection = window.longleaf.connect();
      connection.onMessage((message) => ${tell('message')});
      connection.onClose(() => ${tell('undefined')});
      (window.longleafConnections ??= [])[${number}] = connection;
    }`);
    return {
      send: (message) => void this.#evaluate(`window.longleafConnections[${number}].send(${JSON.stringify(message)})`),
      onMessage: (listener) => connection.onMessage.push(listener),
      onClose: (listener) => connection.onClose.push(listener),
      close: () => undefined,
    };
  }

  async #evaluate(expression: string): Promise<unknown> {
    return evaluated.safeParse(await this.#command('Runtime.evaluate', { expression, returnByValue: true })).data?.result.value;
  }

  /** Never resolves when the window is gone: its connections close. */
  #command(method: string, params: object): Promise<unknown> {
    const id = this.#nextId++;
    if (this.#socket.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify({ id, method, params }));
    return new Promise((resolve) => this.#pending.set(id, resolve));
  }

  #receive(message: unknown): void {
    const { id, method, params, result } = incoming.parse(message);
    if (id !== undefined) {
      this.#pending.get(id)?.(result);
      this.#pending.delete(id);
    } else if (method === 'Runtime.bindingCalled') {
      const call = bindingCall.parse(params);
      if (call.name !== binding) return;
      const { connection, message: content } = heard.parse(JSON.parse(call.payload));
      const { onMessage = [], onClose = [] } = this.#connections[connection] ?? {};
      if (content === undefined) for (const listener of onClose) listener();
      else for (const listener of onMessage) listener(content);
    }
  }
}

async function findPage(port: number): Promise<string | undefined> {
  const listed = targets.parse(await (await fetch(`http://127.0.0.1:${port}/json/list`)).json());
  return listed.find(({ type, url }) => type === 'page' && url.startsWith('app://'))?.webSocketDebuggerUrl;
}
