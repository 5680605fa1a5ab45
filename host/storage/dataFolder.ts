/** The one folder that holds everything Longleaf keeps: private to its user. */
import { chmodSync, existsSync, mkdirSync } from 'node:fs';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { systemErrorCode } from '../errors.ts';
import { followMoves, movedAway, refuseHalfCopy } from './movedFolder.ts';
import { cannotWrite, storageFailure } from './storageFailure.ts';

export interface DataFolder {
  readonly root: string;
  /** Where the note lies that led here; null: it is where it was looked for. */
  readonly noteIn: string | null;
  readonly database: string;
  readonly lock: string;
  readonly backups: string;
  readonly documents: string;
  /** What was read; made by the store that owns it. */
  readonly memories: string;
  readonly models: string;
  /** Made when the first line is written. */
  readonly logs: string;
  /** Tiles of attention that were looked at; may be emptied at any time. */
  readonly tiles: string;
  /** The access token for the hub, sealed or for its owner only. */
  readonly token: string;
  /** Uploads and downloads on their way; emptied at start. */
  readonly staging: string;
  /** Installers of newer versions; made when one is fetched. */
  readonly updates: string;
}

/** `--data`, then `LONGLEAF_DATA`, then where the platform keeps an application's data. */
export function dataFolderPath(option: string | undefined, environment: NodeJS.ProcessEnv = process.env): string {
  if (option) return resolve(option);
  if (environment['LONGLEAF_DATA']) return resolve(environment['LONGLEAF_DATA']);
  if (process.platform === 'darwin') return join(homedir(), 'Library', 'Application Support', 'Longleaf');
  if (process.platform === 'win32') return join(environment['LOCALAPPDATA'] ?? join(homedir(), 'AppData', 'Local'), 'Longleaf');
  return join(environment['XDG_DATA_HOME'] ?? join(homedir(), '.local', 'share'), 'longleaf');
}

/** What belongs to Longleaf in its folder, but locks and what is on its way: there may be more in it that does not. */
export const dataNames = ['longleaf.sqlite', 'longleaf.sqlite-wal', 'backups', 'documents', 'memories', 'models', 'logs', 'tiles', 'updates', 'hub-token', 'api-key'] as const;
/** Made anew wherever the folder is opened. */
export const passingNames = ['longleaf.sqlite-shm', 'longleaf.sqlite.checked', 'longleaf.lock', 'longleaf.lock.json', 'staging'] as const;

/** Goes where it was moved to, and creates what is missing, readable by its owner only. */
export function openDataFolder(asked: string): DataFolder {
  const { root, noteIn } = followMoves(asked);
  if (noteIn !== null && !existsSync(root)) throw movedAway(root, noteIn);
  refuseHalfCopy(root);
  const folder: DataFolder = {
    root,
    noteIn,
    database: join(root, 'longleaf.sqlite'),
    lock: join(root, 'longleaf.lock'),
    backups: join(root, 'backups'),
    documents: join(root, 'documents'),
    memories: join(root, 'memories'),
    models: join(root, 'models'),
    logs: join(root, 'logs'),
    tiles: join(root, 'tiles'),
    token: join(root, 'hub-token'),
    updates: join(root, 'updates'),
    staging: join(root, 'staging'),
  };
  try {
    for (const path of [root, folder.backups, folder.documents, folder.models, folder.tiles, folder.staging]) {
      mkdirSync(path, { recursive: true, mode: 0o700 });
    }
    // A folder that was there before may be open to others.
    chmodSync(root, 0o700);
  } catch (error) {
    throw storageFailure(root, error) ?? cannotWrite(root, systemErrorCode(error) ?? String(error), error);
  }
  return folder;
}
