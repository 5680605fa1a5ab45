/**
 * Between Electron main and the host (Node IPC, JSON), and between the preload script and the
 * renderer. In a browser there is no shell: the renderer then uses a WebSocket and uploads files.
 */
import { z } from 'zod';
import { failure } from './entities.ts';

/** Electron main → host. `connectionId` numbers the windows' ports. */
export const shellRequest = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('connect'), connectionId: z.number().int() }),
  z.object({ kind: z.literal('contract'), connectionId: z.number().int(), message: z.unknown() }),
  z.object({ kind: z.literal('disconnect'), connectionId: z.number().int() }),
  /** A path that a native dialog, a drop or the command line gave; answered by an opaque file id. */
  z.object({ kind: z.literal('register-file'), requestId: z.number().int(), path: z.string() }),
  z.object({ kind: z.literal('quit') }),
]);
export type ShellRequest = z.infer<typeof shellRequest>;

/** Host → Electron main. */
export const shellReply = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('ready') }),
  z.object({ kind: z.literal('contract'), connectionId: z.number().int(), message: z.unknown() }),
  z.object({ kind: z.literal('file'), requestId: z.number().int(), fileId: z.string() }),
  z.object({ kind: z.literal('file-failed'), requestId: z.number().int(), failure }),
  /** The host cannot start (e.g. the data folder is in use): shown by main, then both end. */
  z.object({ kind: z.literal('fatal'), failure }),
]);
export type ShellReply = z.infer<typeof shellReply>;

/** What the preload script puts at `window.longleaf`; absent in a browser. */
export interface ShellBridge {
  readonly platform: string;
  /** Opens a native dialog; resolves to opaque file ids, empty when cancelled. */
  pickFiles(kind: 'document' | 'model'): Promise<{ fileId: string; name: string }[]>;
  /** Registers a file that was dropped on the window. */
  registerDroppedFile(file: File): Promise<{ fileId: string; name: string }>;
  /** Opens an http(s) link in the system's browser, after main has checked it. */
  openExternal(url: string): Promise<void>;
  /** Messages of the contract; main relays them to the host. */
  connect(): {
    send(message: unknown): void;
    onMessage(listener: (message: unknown) => void): void;
    onClose(listener: () => void): void;
  };
}

/**
 * In a browser: `PUT /files?name=…` with the file as body answers `{fileId, name}`; the contract runs
 * over the WebSocket at `/contract`; the session cookie is set by the single-use `/open?key=…` URL.
 */
export const uploadReply = z.object({ fileId: z.string(), name: z.string() });
