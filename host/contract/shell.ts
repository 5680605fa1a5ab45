/**
 * Between Electron main and the host (Node IPC, JSON), and between the preload script and the
 * renderer. In a browser there is no shell: the renderer then uses a WebSocket and uploads files.
 */
import * as z from 'zod';
import { languages } from './languages.ts';
import { failure } from './primitives.ts';

/** Electron main → host. `connectionId` numbers the windows' ports. */
export const shellRequest = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('connect'), connectionId: z.number().int() }),
  z.object({ kind: z.literal('contract'), connectionId: z.number().int(), message: z.unknown() }),
  z.object({ kind: z.literal('disconnect'), connectionId: z.number().int() }),
  /** So many more messages have reached the window: what waits for a window that does not take it is bounded by this. */
  z.object({ kind: z.literal('taken'), connectionId: z.number().int(), messages: z.number().int().positive() }),
  /** A path that a native dialog, a drop or the command line gave; answered by an opaque file id. */
  z.object({ kind: z.literal('register-file'), requestId: z.number().int(), path: z.string() }),
  /** Answered by `pong`: a host that does not is hung. */
  z.object({ kind: z.literal('ping') }),
  /** The machine goes to sleep, or has woken up. */
  z.object({ kind: z.literal('power'), asleep: z.boolean() }),
  /** What the operating system's key store made of a secret, or of what it had sealed; null: it cannot. */
  z.object({ kind: z.literal('vault'), requestId: z.number().int(), text: z.string().nullable() }),
  z.object({ kind: z.literal('quit') }),
]);
export type ShellRequest = z.infer<typeof shellRequest>;

/** What takes long enough to be shown outside the window. Without names: a desktop keeps what it shows. */
export const job = z.object({
  id: z.string(),
  kind: z.enum(['answer', 'reading', 'download']),
  /** From 0 to 1; null where nobody knows. */
  fraction: z.number().min(0).max(1).nullable(),
});
export type Job = z.infer<typeof job>;

/** Host → Electron main. */
export const shellReply = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('ready') }),
  z.object({ kind: z.literal('contract'), connectionId: z.number().int(), message: z.unknown() }),
  /** The host has ended this connection: its window does not take what it is sent. */
  z.object({ kind: z.literal('closed'), connectionId: z.number().int() }),
  z.object({ kind: z.literal('pong') }),
  /** Everything that is under way now. */
  z.object({ kind: z.literal('jobs'), jobs: z.array(job) }),
  z.object({ kind: z.literal('job-ended'), job, outcome: z.enum(['done', 'failed', 'stopped']), durationMs: z.number().nonnegative() }),
  z.object({ kind: z.literal('file'), requestId: z.number().int(), fileId: z.string() }),
  z.object({ kind: z.literal('file-failed'), requestId: z.number().int(), failure }),
  /** To be sealed by the operating system's key store, or opened again; `text` in base64 when sealed. */
  z.object({ kind: z.literal('vault'), requestId: z.number().int(), task: z.enum(['seal', 'unseal']), text: z.string() }),
  /** The host cannot start (e.g. the data folder is in use): shown by main, then both end. */
  z.object({ kind: z.literal('fatal'), failure }),
]);
export type ShellReply = z.infer<typeof shellReply>;

/** A command of the interface, for the application menu. */
export const shellCommand = z
  .object({
    id: z.string().min(1).max(64),
    label: z.string().min(1).max(120),
    menu: z.enum(['file', 'chat', 'view', 'help']),
    /** As Electron writes keys: `CmdOrCtrl+Shift+L`. */
    accelerator: z.string().max(40).nullable(),
    enabled: z.boolean(),
  })
  .strict();
export type ShellCommand = z.infer<typeof shellCommand>;

/** What the page gives the desktop to show, and the language that it does so in. */
export const shellMenu = z.object({ language: z.enum(languages), commands: z.array(shellCommand).max(200) }).strict();
export type ShellMenu = z.infer<typeof shellMenu>;

/** What was opened from outside the window: files by the desktop, or a `longleaf://` link. */
export type Opened =
  | { kind: 'files'; files: { fileId: string; name: string }[] }
  | { kind: 'screen'; screen: 'chat' | 'memories' | 'models' | 'settings' }
  | { kind: 'conversation'; conversationId: string };

/** What the preload script puts at `window.longleaf`; absent in a browser. */
export interface ShellBridge {
  readonly platform: string;
  /** Opens a native dialog; resolves to opaque file ids, empty when cancelled. */
  pickFiles(kind: 'document' | 'folder' | 'model' | 'json'): Promise<{ fileId: string; name: string }[]>;
  /** Registers a file that was dropped on the window. */
  registerDroppedFile(file: File): Promise<{ fileId: string; name: string }>;
  /** Opens an http(s) link in the system's browser, after main has checked it. */
  openExternal(url: string): Promise<void>;
  /** The application menu shows this from now on, and the desktop speaks its language. */
  showMenu(menu: ShellMenu): void;
  /** Called with the id of a command that was chosen in the menu. */
  onCommand(listener: (id: string) => void): void;
  /** Called with what was opened from outside, also before this was called. */
  onOpened(listener: (opened: Opened) => void): void;
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
