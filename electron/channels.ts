/** The IPC channels between the preload script and main. All of them start with the app's name. */
export const channels = {
  pickFiles: 'longleaf:pick-files',
  registerFile: 'longleaf:register-file',
  openExternal: 'longleaf:open-external',
  connect: 'longleaf:connect',
  /** The page tells which commands it has, and in which language. */
  menu: 'longleaf:menu',
  /** Main tells which of them was chosen in the menu. */
  command: 'longleaf:command',
  /** The page is ready to hear what was opened from outside. */
  listening: 'longleaf:listening',
  opened: 'longleaf:opened',
} as const;

/** What main posts on a connection's port. A port's own `close` event is too young for Electron 22. */
export type PortFrame = { kind: 'message'; message: unknown } | { kind: 'closed' };

/** What the preload script posts on it: a message of the page, or how many of main's have arrived. */
export type PageFrame = { kind: 'message'; message: unknown } | { kind: 'taken'; messages: number };

/** What main answers. A failure is data: an error that is thrown would reach the page in Electron's words. */
export type Answer<T> = { ok: true; value: T } | { ok: false; message: string };
