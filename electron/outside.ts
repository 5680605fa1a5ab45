/** Brings what was opened from outside to the window, as soon as its page listens. */
import { app, type BrowserWindow } from 'electron';
import type { Opened } from '../host/contract/shell.ts';
import { channels } from './channels.ts';
import type { FileRegistry } from './files.ts';
import { linkScheme, readArguments, readLink } from './opening.ts';
import { showMainWindow } from './windows.ts';

/** On Linux another program is started and waited for: not while the window opens. */
const registerAfterMs = 5_000;

export class Outside {
  readonly #files: FileRegistry;
  #listener: BrowserWindow | undefined;
  #waiting: Opened[] = [];

  constructor(files: FileRegistry) {
    this.#files = files;
  }

  /** Has to be called before the app is ready: on a Mac, what opened the app comes as an event. */
  listen(): void {
    if (app.isPackaged) setTimeout(() => app.setAsDefaultProtocolClient(linkScheme), registerAfterMs);
    app.on('open-file', (event, path) => {
      event.preventDefault();
      this.#openPaths([path]);
    });
    app.on('open-url', (event, url) => {
      event.preventDefault();
      this.#openLink(url);
    });
    app.on('second-instance', (_event, args, workingFolder) => {
      if (app.isReady()) showMainWindow();
      this.openArguments(args.slice(1), workingFolder);
    });
  }

  openArguments(args: readonly string[], workingFolder: string): void {
    const { paths, links } = readArguments(args, workingFolder);
    if (paths.length > 0) this.#openPaths(paths);
    for (const link of links) this.#openLink(link);
  }

  /** The page of this window listens, maybe again after a reload. */
  startListening(window: BrowserWindow): void {
    this.#listener = window;
    for (const opened of this.#waiting.splice(0)) window.webContents.send(channels.opened, opened);
    window.once('closed', () => {
      if (this.#listener === window) this.#listener = undefined;
    });
  }

  #openLink(link: string): void {
    const opened = readLink(link);
    if (opened) this.#show(opened);
  }

  #openPaths(paths: readonly string[]): void {
    Promise.all(paths.map((path) => this.#files.register(path))).then(
      (files) => this.#show({ kind: 'files', files }),
      (error: unknown) => console.error('What the desktop handed over could not be opened:', error),
    );
  }

  #show(opened: Opened): void {
    if (this.#listener) this.#listener.webContents.send(channels.opened, opened);
    else this.#waiting.push(opened);
  }
}
