/** The requests of the preload script. Each is checked twice: who asks, and what. */
import { BrowserWindow, ipcMain, type IpcMainEvent, type IpcMainInvokeEvent, type MessagePortMain } from 'electron';
import * as z from 'zod';
import { type ShellMenu, shellMenu } from '../host/contract/shell.ts';
import { isBundleUrl } from './bundle.ts';
import { type Answer, channels } from './channels.ts';
import { choosePaths } from './dialogs.ts';
import { openExternal } from './external.ts';
import type { FileRegistry } from './files.ts';
import type { Relay } from './relay.ts';

const pickKind = z.enum(['document', 'folder', 'model', 'json']);
const path = z.string().min(1).max(32_768);
const link = z.string().max(8_192);

export interface RequestParts {
  files: FileRegistry;
  relay: Relay;
  onMenu(menu: ShellMenu): void;
  /** The page is ready to hear what was opened from outside. */
  onListening(window: BrowserWindow): void;
}

export function answerRequests({ files, relay, onMenu, onListening }: RequestParts): void {
  answer(channels.pickFiles, pickKind, async (kind, window) => {
    const paths = await choosePaths(window, kind);
    return Promise.all(paths.map((chosen) => files.register(chosen)));
  });
  answer(channels.registerFile, path, (dropped) => files.register(dropped));
  answer(channels.openExternal, link, (url) => openExternal(url));
  hear(channels.connect, z.unknown(), (_nothing, _window, [port]) => {
    if (port) relay.connect(port);
  });
  hear(channels.menu, shellMenu, (menu) => onMenu(menu));
  hear(channels.listening, z.unknown(), (_nothing, window) => onListening(window));
}

/** Takes what one channel is told and nobody waits for; what is not right is dropped. */
function hear<Argument>(
  channel: string,
  schema: z.ZodType<Argument>,
  respond: (argument: Argument, window: BrowserWindow, ports: MessagePortMain[]) => void,
): void {
  ipcMain.on(channel, (event, argument: unknown) => {
    const checked = schema.safeParse(argument);
    const window = tryToFindSender(event);
    if (checked.success && window) respond(checked.data, window, event.ports);
  });
}

/** Answers one channel with what `respond` makes of an argument that has been checked. */
function answer<Argument, Result>(
  channel: string,
  schema: z.ZodType<Argument>,
  respond: (argument: Argument, window: BrowserWindow) => Promise<Result>,
): void {
  ipcMain.handle(channel, async (event, argument: unknown): Promise<Answer<Result>> => {
    try {
      const window = senderWindow(event);
      const checked = schema.safeParse(argument);
      if (!checked.success) return { ok: false, message: 'This is not something Longleaf can open.' };
      return { ok: true, value: await respond(checked.data, window) };
    } catch (error) {
      return { ok: false, message: error instanceof Error ? error.message : String(error) };
    }
  });
}

/** The window that asks, if what asks is the main frame of the app's own page. */
function senderWindow(event: IpcMainEvent | IpcMainInvokeEvent): BrowserWindow {
  const window = tryToFindSender(event);
  if (!window) throw new Error('This page may not ask for that.');
  return window;
}

function tryToFindSender({ sender, senderFrame }: IpcMainEvent | IpcMainInvokeEvent): BrowserWindow | undefined {
  if (!senderFrame || senderFrame !== sender.mainFrame || !isBundleUrl(senderFrame.url)) return undefined;
  return BrowserWindow.fromWebContents(sender) ?? undefined;
}
