/** Electron's main process: wires the window, the host and the operating system together, and decides nothing else. */
import { join } from 'node:path';
import { app, powerMonitor, session } from 'electron';
import type { Failure } from '../host/contract/entities.ts';
import type { ShellReply } from '../host/contract/shell.ts';
import { channels } from './channels.ts';
import { keepCrashReportsHere, removeOldCrashReports } from './crashReports.ts';
import { askWhetherToRestore, askWhetherToRetry, showFatalFailure, tellHostRestarted } from './dialogs.ts';
import { FileRegistry } from './files.ts';
import { Host } from './host.ts';
import { Jobs } from './jobs.ts';
import { installMenu } from './menu.ts';
import { Outside } from './outside.ts';
import { restrictSession } from './permissions.ts';
import { declareBundleScheme, serveBundle } from './protocol.ts';
import { Relay } from './relay.ts';
import { answerRequests } from './requests.ts';
import { RestartPolicy } from './restartPolicy.ts';
import { answerVault } from './vault.ts';
import { getMainWindow, refuseNavigation, showMainWindow } from './windows.ts';
import { speak } from './words/words.ts';

/** It is started first, and may have something to say before there can be a dialog or a tray icon. */
const host = new Host({
  onReply: (reply) => void app.whenReady().then(() => receive(reply)),
  onUnexpectedEnd: (cause) => void app.whenReady().then(() => recover(cause)),
});
const relay = new Relay((request, taken) => host.send(request, taken));
const files = new FileRegistry((request) => host.send(request));
const outside = new Outside(files);
const jobs = new Jobs({ iconPath: join(app.getAppPath(), 'assets', 'icons', 'longleaf.png'), showWindow: () => showMainWindow(), quit: () => app.quit() });
const restartPolicy = new RestartPolicy();
const menuActions = { perform: (id: string) => getMainWindow()?.webContents.send(channels.command, id) };

function receive(reply: ShellReply): void {
  switch (reply.kind) {
    case 'contract':
      return relay.deliver(reply.connectionId, reply.message);
    case 'closed':
      return relay.close(reply.connectionId);
    case 'file':
    case 'file-failed':
      return files.settle(reply);
    case 'jobs':
      jobs.show(reply.jobs);
      return quitWhenIdle();
    case 'job-ended':
      return jobs.tellEnd(reply);
    case 'vault':
      return host.send(answerVault(reply));
    case 'fatal':
      void endOrRestore(reply.failure);
  }
}

/** The host cannot start. What is wrong with a database can be undone. */
async function endOrRestore(failure: Failure): Promise<void> {
  if (failure.code === 'database-damaged' && (await askWhetherToRestore(failure))) return host.start({ restoreBackup: true });
  if (failure.code !== 'database-damaged') showFatalFailure(failure);
  await quitWithHost(1);
}

async function recover(cause: string): Promise<void> {
  relay.closeAll();
  files.rejectAll();
  jobs.show([]);
  const decision = restartPolicy.decide(performance.now());
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

/** Without a window Longleaf stays, in the tray, for as long as something is under way. */
function quitWhenIdle(): void {
  if (process.platform !== 'darwin' && !getMainWindow() && !jobs.any) app.quit();
}

function run(): void {
  // Chromium cannot sandbox when run as root, as in containers; a switch that says so would be overruled by this.
  if (!app.commandLine.hasSwitch('no-sandbox')) app.enableSandbox();
  host.start();
  keepCrashReportsHere();
  declareBundleScheme();
  refuseNavigation();
  outside.listen();
  app.on('activate', () => showMainWindow());
  app.on('window-all-closed', quitWhenIdle);
  app.on('will-quit', (event) => {
    event.preventDefault();
    void quitWithHost(0);
  });
  void app.whenReady().then(open);
}

function open(): void {
  restrictSession(session.defaultSession);
  serveBundle(join(app.getAppPath(), 'dist', 'renderer'));
  answerRequests({
    files,
    relay,
    onMenu: ({ language, commands }) => {
      speak(language);
      installMenu(commands, menuActions);
    },
    onListening: (window) => outside.startListening(window),
  });
  showMainWindow();
  // Its process starts meanwhile.
  installMenu([], menuActions);
  powerMonitor.on('suspend', () => host.send({ kind: 'power', asleep: true }));
  powerMonitor.on('resume', () => host.send({ kind: 'power', asleep: false }));
  outside.openArguments(process.argv.slice(1), process.cwd());
  removeOldCrashReports();
}

if (app.requestSingleInstanceLock()) run();
else app.quit();
