/** The IPC channels between the preload script and main. All of them start with the app's name. */
export const channels = {
  pickFiles: 'longleaf:pick-files',
  registerFile: 'longleaf:register-file',
  openExternal: 'longleaf:open-external',
  connect: 'longleaf:connect',
} as const;

/** What main posts on a connection's port. A port's own `close` event is too young for Electron 22. */
export type PortFrame = { kind: 'message'; message: unknown } | { kind: 'closed' };

/** What main answers. A failure is data: an error that is thrown would reach the page in Electron's words. */
export type Answer<T> = { ok: true; value: T } | { ok: false; message: string };
