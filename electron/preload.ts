/** What the interface sees of Electron: the functions of `ShellBridge` and nothing more. */
import { contextBridge, ipcRenderer } from 'electron';
import type { ShellBridge } from '../host/contract/shell.ts';
import { type Answer, channels, type PortFrame } from './channels.ts';
import { droppedFilePath } from './droppedFile.ts';

const bridge: ShellBridge = {
  platform: process.platform,
  pickFiles: (kind) => ask(channels.pickFiles, kind),
  registerDroppedFile: (file) => ask(channels.registerFile, droppedFilePath(file)),
  openExternal: (url) => ask(channels.openExternal, url),
  connect,
};

async function ask<T>(channel: string, argument: string): Promise<T> {
  const answer: Answer<T> = await ipcRenderer.invoke(channel, argument);
  if (!answer.ok) throw new Error(answer.message);
  return answer.value;
}

function connect(): ReturnType<ShellBridge['connect']> {
  const { port1: own, port2: mains } = new MessageChannel();
  ipcRenderer.postMessage(channels.connect, null, [mains]);
  return {
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a port has no origin
    send: (message) => own.postMessage(message),
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
