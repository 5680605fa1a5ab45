/** The requests of the preload script. Each is checked twice: who asks, and what. */
import { BrowserWindow, ipcMain, type IpcMainEvent, type IpcMainInvokeEvent } from 'electron';
import { z } from 'zod';
import { isBundleUrl } from './bundle.ts';
import { type Answer, channels } from './channels.ts';
import { choosePaths } from './dialogs.ts';
import { openExternal } from './external.ts';
import type { FileRegistry } from './files.ts';
import type { Relay } from './relay.ts';

const pickKind = z.enum(['document', 'model']);
const path = z.string().min(1).max(32_768);
const link = z.string().max(8_192);

export function answerRequests(files: FileRegistry, relay: Relay): void {
  answer(channels.pickFiles, pickKind, async (kind, window) => {
    const paths = await choosePaths(window, kind);
    return Promise.all(paths.map((chosen) => files.register(chosen)));
  });
  answer(channels.registerFile, path, (dropped) => files.register(dropped));
  answer(channels.openExternal, link, (url) => openExternal(url));
  ipcMain.on(channels.connect, (event) => {
    senderWindow(event);
    const port = event.ports[0];
    if (port) relay.connect(port);
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
  const frame = event.senderFrame;
  const window = BrowserWindow.fromWebContents(event.sender);
  if (!window || !frame || frame !== event.sender.mainFrame || !isBundleUrl(frame.url)) {
    throw new Error('This page may not ask for that.');
  }
  return window;
}
