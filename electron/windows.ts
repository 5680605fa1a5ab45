/** The window, and what it refuses. */
import { join } from 'node:path';
import { app, BrowserWindow, nativeTheme } from 'electron';
import { bundleUrl, isBundleUrl } from './bundle.ts';
import { askWhetherToRetry } from './dialogs.ts';
import { isWebLink, openExternal } from './external.ts';
import { RestartPolicy } from './restartPolicy.ts';
import { recallPlacement, rememberPlacement } from './windowState.ts';

/** What is seen before the interface has painted; the colours of its two themes. */
const backgroundColors = { light: '#fbfaf7', dark: '#17181a' };

let mainWindow: BrowserWindow | undefined;

/** Opens the window, or brings the one that is open to the front. */
export function showMainWindow(): BrowserWindow {
  if (mainWindow) {
    if (mainWindow.isMinimized()) mainWindow.restore();
    mainWindow.focus();
    return mainWindow;
  }
  const stateFile = join(app.getPath('userData'), 'window.json');
  const { bounds, maximized } = recallPlacement(stateFile);
  const window = new BrowserWindow({
    ...bounds,
    minWidth: 480,
    minHeight: 360,
    show: false,
    backgroundColor: nativeTheme.shouldUseDarkColors ? backgroundColors.dark : backgroundColors.light,
    webPreferences: {
      preload: join(__dirname, 'preload.cjs'),
      // Electron's defaults; written down because everything else rests on them.
      contextIsolation: true,
      sandbox: true,
      nodeIntegration: false,
      webSecurity: true,
      spellcheck: false,
    },
  });
  mainWindow = window;
  loadAgainWhenGone(window);
  if (maximized) window.maximize();
  rememberPlacement(window, stateFile);
  window.once('ready-to-show', () => window.show());
  window.once('closed', () => {
    mainWindow = undefined;
  });
  void window.loadURL(bundleUrl);
  return window;
}

const reloads = new RestartPolicy();

/** A window whose process has ended is blank until its page is loaded again; the host has everything that is in it. */
function loadAgainWhenGone(window: BrowserWindow): void {
  const load = () => window.isDestroyed() || window.webContents.reload();
  const ask = async (reason: string) => {
    if (!(await askWhetherToRetry(`The process of the window ended (${reason}).`))) return app.quit();
    reloads.reset();
    load();
  };
  window.webContents.on('render-process-gone', (_event, { reason }) => {
    if (reason === 'clean-exit') return;
    const decision = reloads.decide(performance.now());
    if (decision.kind === 'restart') setTimeout(load, decision.delayMs);
    else void ask(reason);
  });
}

export function getMainWindow(): BrowserWindow | undefined {
  return mainWindow;
}

/** Applies to every page there will ever be, whoever creates it. */
export function refuseNavigation(): void {
  app.on('web-contents-created', (_created, contents) => {
    contents.on('will-navigate', (event, argument) => {
      // The event has it since Electron 25; the argument is to go.
      const url = event.url ?? argument;
      // The page may load itself again, as it does in another language.
      if (!isBundleUrl(url) || url !== contents.getURL()) event.preventDefault();
    });
    contents.on('will-redirect', (event) => event.preventDefault());
    contents.on('will-attach-webview', (event) => event.preventDefault());
    contents.setWindowOpenHandler(({ url }) => {
      if (isWebLink(url)) void openExternal(url);
      return { action: 'deny' };
    });
  });
}
