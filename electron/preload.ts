/** What the interface sees of Electron: the functions of `ShellBridge` and nothing more. */
import { contextBridge, ipcRenderer } from 'electron';
import type { Opened, ShellBridge } from '../host/contract/shell.ts';
import { type Answer, channels, type PageFrame, type PortFrame } from './channels.ts';
import { droppedFilePath } from './droppedFile.ts';

const bridge: ShellBridge = {
  platform: process.platform,
  pickFiles: (kind) => ask(channels.pickFiles, kind),
  registerDroppedFile: (file) => ask(channels.registerFile, droppedFilePath(file)),
  openExternal: (url) => ask(channels.openExternal, url),
  showMenu: (menu) => ipcRenderer.send(channels.menu, menu),
  onCommand: (listener) => void ipcRenderer.on(channels.command, (_event, id: string) => listener(id)),
  onOpened: (listener) => {
    ipcRenderer.on(channels.opened, (_event, opened: Opened) => listener(opened));
    ipcRenderer.send(channels.listening);
  },
  connect,
};

async function ask<T>(channel: string, argument: string): Promise<T> {
  const answer: Answer<T> = await ipcRenderer.invoke(channel, argument);
  if (!answer.ok) throw new Error(answer.message);
  return answer.value;
}

/** How long arrivals are counted before main is told of them. */
const tellEveryMs = 50;

function connect(): ReturnType<ShellBridge['connect']> {
  const { port1: own, port2: mains } = new MessageChannel();
  ipcRenderer.postMessage(channels.connect, null, [mains]);
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a port has no origin
  const post = (frame: PageFrame) => own.postMessage(frame);
  let arrived = 0;
  own.addEventListener('message', () => {
    arrived += 1;
    if (arrived > 1) return;
    setTimeout(() => {
      post({ kind: 'taken', messages: arrived });
      arrived = 0;
    }, tellEveryMs);
  });
  return {
    send: (message) => post({ kind: 'message', message }),
    onMessage: (listener) => {
      own.addEventListener('message', ({ data }: MessageEvent<PortFrame>) => {
        if (data.kind === 'message') listener(data.message);
      });
      own.start();
    },
    onClose: (listener) => {
      own.addEventListener('message', ({ data }: MessageEvent<PortFrame>) => {
        if (data.kind === 'closed') listener();
      });
      own.start();
    },
  };
}

contextBridge.exposeInMainWorld('longleaf', bridge);
