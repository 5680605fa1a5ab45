/** Electron's main process: wires the window, the host and the operating system together, and decides nothing else. */
import { join } from 'node:path';
import { app, session } from 'electron';
import type { ShellReply } from '../host/contract/shell.ts';
import { askWhetherToRetry, showFatalFailure, tellHostRestarted } from './dialogs.ts';
import { FileRegistry } from './files.ts';
import { Host } from './host.ts';
import { installMenu } from './menu.ts';
import { restrictSession } from './permissions.ts';
import { declareBundleScheme, serveBundle } from './protocol.ts';
import { Relay } from './relay.ts';
import { answerRequests } from './requests.ts';
import { RestartPolicy } from './restartPolicy.ts';
import { refuseNavigation, showMainWindow } from './windows.ts';

const host = new Host({ onReply: receive, onUnexpectedEnd: (cause) => void recover(cause) });
const relay = new Relay((request) => host.send(request));
const files = new FileRegistry((request) => host.send(request));
const restartPolicy = new RestartPolicy();

function receive(reply: ShellReply): void {
  if (reply.kind === 'contract') relay.deliver(reply.connectionId, reply.message);
  else if (reply.kind === 'file' || reply.kind === 'file-failed') files.settle(reply);
  else if (reply.kind === 'fatal') {
    showFatalFailure(reply.failure);
    void quitWithHost(1);
  }
}

async function recover(cause: string): Promise<void> {
  relay.closeAll();
  files.rejectAll();
  const decision = restartPolicy.decide(Date.now());
  if (decision.kind === 'restart') {
    setTimeout(() => host.start(), decision.delayMs);
    tellHostRestarted(cause);
  } else if (await askWhetherToRetry(cause)) {
    restartPolicy.reset();
    host.start();
  } else {
    app.exit(1);
  }
}

async function quitWithHost(status: number): Promise<void> {
  await host.quit();
  app.exit(status);
}

function run(): void {
  // Chromium cannot sandbox when run as root, as in containers; a switch that says so would be overruled by this.
  if (!app.commandLine.hasSwitch('no-sandbox')) app.enableSandbox();
  declareBundleScheme();
  refuseNavigation();
  app.on('second-instance', () => showMainWindow());
  app.on('activate', () => showMainWindow());
  app.on('window-all-closed', () => {
    if (process.platform !== 'darwin') app.quit();
  });
  app.on('will-quit', (event) => {
    event.preventDefault();
    void quitWithHost(0);
  });
  void app.whenReady().then(open);
}

function open(): void {
  restrictSession(session.defaultSession);
  serveBundle(join(app.getAppPath(), 'dist', 'renderer'));
  answerRequests(files, relay);
  installMenu();
  host.start();
  showMainWindow();
}

if (app.requestSingleInstanceLock()) run();
else app.quit();
