/** The host: everything it is made of, opened in order and closed in the opposite one. */
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { LocalApi } from './api/localApi.ts';
import type { CatalogueEntry } from './contract/entities.ts';
import { Chat } from './conversations/chat.ts';
import { EventStore } from './conversations/eventStore.ts';
import { FolderStore } from './conversations/folderStore.ts';
import { PastWindow } from './conversations/pastWindow.ts';
import { ConversationStore } from './conversations/conversationStore.ts';
import { MessageTree } from './conversations/messageTree.ts';
import { LogFile } from './diagnostics/logFile.ts';
import { noteEvents } from './diagnostics/noteEvents.ts';
import { Redaction } from './diagnostics/redaction.ts';
import { DocumentLibrary } from './documents/documentLibrary.ts';
import { DownloadManager } from './downloads/downloadManager.ts';
import { OutboundClient } from './downloads/outboundClient.ts';
import { HubClient, hubOptions } from './hub/hubClient.ts';
import { HubModels } from './hub/hubModels.ts';
import { HostEvents } from './events.ts';
import { FileRegistry } from './fileRegistry.ts';
import { EvidenceStore } from './inspector/evidenceStore.ts';
import { LiveAnswers } from './inspector/liveAnswers.ts';
import { Inspector } from './inspector/inspector.ts';
import { TileCache } from './inspector/tileCache.ts';
import { type Handlers, createHandlers } from './handlers.ts';
import { appVersion, workerEntry } from './locations.ts';
import { readCatalogue } from './models/catalogue.ts';
import { MemoryShelf } from './memories/memoryShelf.ts';
import { workerMemories } from './memories/workerMemories.ts';
import { readMachine } from './models/machine.ts';
import { ModelFolders } from './models/modelFolders.ts';
import { ModelStore } from './models/modelStore.ts';
import { PresetStore } from './presets/presetStore.ts';
import { SecretStore, type Vault } from './secrets/secretStore.ts';
import { Sweeps } from './sweeps/sweeps.ts';
import { SweepStore } from './sweeps/sweepStore.ts';
import { Readings } from './readings/readings.ts';
import { ReadingStore } from './readings/readingStore.ts';
import { DocumentIndex } from './search/documentIndex.ts';
import { Search } from './search/search.ts';
import { removeUnfinishedCopies, restoreBackup } from './storage/backups.ts';
import { Database } from './storage/database.ts';
import { type DataFolder, openDataFolder } from './storage/dataFolder.ts';
import { InstanceLock } from './storage/instanceLock.ts';
import { configuredFeed, type UpdateFeed } from './updates/updateFeed.ts';
import { Updates } from './updates/updates.ts';
import { OutboundLog } from './storage/outboundLog.ts';
import { SettingsStore } from './storage/settingsStore.ts';
import { ModelSession } from './worker/modelSession.ts';
import { type SupervisorOptions, WorkerSupervisor } from './worker/supervisor.ts';
import { WorkLine } from './worker/workLine.ts';

export interface HostOptions {
  dataFolder: string;
  worker?: Partial<SupervisorOptions>;
  catalogue?: CatalogueEntry[];
  /** The operating system's key store, where Longleaf is a desktop app. */
  vault?: Vault;
  /** Where newer versions are announced; null: nowhere. Left out: what this copy carries. */
  updateFeed?: UpdateFeed | null;
  /** It belongs to the desktop app, of which there is one: another such host has lost its window and is about to end. */
  besideWindow?: boolean;
  /** Whether windows may name files and folders by their path: those of a browser have no dialog that could. */
  takesPaths?: boolean;
  /** Puts the newest sound backup in the place of a damaged database first. */
  restoreBackup?: boolean;
}

export interface Host {
  readonly folder: DataFolder;
  readonly takesPaths: boolean;
  readonly database: Database;
  readonly events: HostEvents;
  readonly settings: SettingsStore;
  readonly outbound: OutboundLog;
  readonly supervisor: WorkerSupervisor;
  readonly session: ModelSession;
  readonly files: FileRegistry;
  readonly documents: DocumentLibrary;
  readonly memories: MemoryShelf;
  readonly catalogue: CatalogueEntry[];
  readonly models: ModelStore;
  /** The only way out of the machine. */
  readonly client: OutboundClient;
  readonly downloads: DownloadManager;
  readonly modelFolders: ModelFolders;
  readonly hubModels: HubModels;
  readonly updates: Updates;
  readonly secrets: SecretStore;
  readonly conversations: ConversationStore;
  readonly messages: MessageTree;
  readonly folders: FolderStore;
  readonly conversationEvents: EventStore;
  readonly presets: PresetStore;
  readonly documentIndex: DocumentIndex;
  readonly search: Search;
  readonly chat: Chat;
  readonly pastWindow: PastWindow;
  readonly readings: Readings;
  readonly inspector: Inspector;
  readonly sweeps: Sweeps;
  readonly api: LocalApi;
  readonly redaction: Redaction;
  readonly log: LogFile;
  readonly handlers: Handlers;
  /** Starts the worker soon, and goes on with what was being read; a host that only answers calls does without. */
  begin(): void;
  /**
   * Stops answers, readings and downloads, then the worker, then storage; takes at most five seconds. `workerWithinMs`: how
   * long the worker may take for what it has begun; what it has kept stays, whenever it is ended.
   */
  close(workerWithinMs?: number): Promise<void>;
}

/** Throws when the data folder is in use, not writable or damaged. */
export async function openHost(options: HostOptions): Promise<Host> {
  const folder = openDataFolder(options.dataFolder);
  const lock = await InstanceLock.acquireSoon(folder.lock, folder.root, options.besideWindow);
  try {
    removeUnfinishedCopies(folder.database, folder.backups);
    if (options.restoreBackup) restoreBackup(folder.database, folder.backups);
    const database = Database.open(folder.database, folder.backups);
    await emptyFolder(folder.staging);
    const host = assemble(options, folder, lock, database);
    await host.documents.removeLeft();
    await host.models.removeLeft();
    return host;
  } catch (error) {
    lock.release();
    throw error;
  }
}

function assemble(options: HostOptions, folder: DataFolder, lock: InstanceLock, database: Database): Host {
  const events = new HostEvents();
  const settings = new SettingsStore(database);
  const outbound = new OutboundLog(database);
  const catalogue = options.catalogue ?? readCatalogue();
  const supervisor = new WorkerSupervisor({ entry: workerEntry(), ...options.worker });
  const session = new ModelSession(supervisor);
  const documents = new DocumentLibrary(database, folder);
  const models = new ModelStore(database, folder.models, catalogue, () => settings.read().caps.modelsBytes);
  const modelFolders = new ModelFolders(database, folder.models, models);
  const conversations = new ConversationStore(database);
  const messages = new MessageTree(database);
  const line = new WorkLine();
  const memories = new MemoryShelf({
    folder: folder.memories,
    names: {
      document: (id) => documents.list().find((document) => document.id === id)?.name,
      conversation: (id) => conversations.find(id)?.title,
    },
    // A worker that is not ready has opened nothing yet, and one that ended has let go of it.
    inUse: () => (supervisor.status.state === 'ready' ? workerMemories(supervisor, line, folder.memories) : null),
  });
  const secrets = new SecretStore(folder.token, options.vault ?? null);
  const network = () => settings.read().network;
  const client = new OutboundClient({ log: outbound, isOffline: () => settings.read().offline, proxy: () => network().proxy });
  const hub = new HubClient(client, { ...hubOptions(), token: () => secrets.token() });
  const downloads = new DownloadManager({
    catalogue, models, client, hub, folder, events,
    places: modelFolders,
    bytesPerSecond: () => network().bytesPerSecond,
    checkCap: (bytes) => models.checkCap(bytes),
  });
  const machine = () => readMachine(supervisor, modelFolders.receiving());
  const hubModels = new HubModels({ hub, downloads, machine, budgets: () => settings.read().kv });
  const live = new LiveAnswers(database, events);
  const chatParts = { conversations, messages, documents, models, settings, supervisor, session, line, memories, events, live };
  const chat = new Chat(chatParts);
  const updates = new Updates({
    feed: options.updateFeed === undefined ? configuredFeed() : options.updateFeed,
    client,
    version: appVersion(),
    folder: folder.updates,
    isAnswering: () => chat.running > 0,
    backUp: () => database.backUp(folder.backups),
  });
  const conversationEvents = new EventStore(database);
  const pastWindow = new PastWindow(chatParts, chat, conversationEvents);
  const folders = new FolderStore(database);
  const presets = new PresetStore(database);
  const documentIndex = new DocumentIndex(database, documents);
  const search = new Search(database, documents, documentIndex);
  const readings = new Readings({ store: new ReadingStore(database), documents, models, settings, supervisor, session, line, memories, events });

  const inspector = new Inspector({ ...chatParts, evidence: new EvidenceStore(database), tiles: new TileCache(folder.tiles) });

  const sweeps = new Sweeps({ store: new SweepStore(database), documents, models, settings, supervisor, session, line, events, stagingFolder: folder.staging });
  const files = new FileRegistry();
  const api = new LocalApi({ folder, files, documents, documentIndex, models, settings, supervisor, session, line, memories, readings, events });

  const namesNow = () => [...documents.names(), ...conversations.titles(), ...folders.names()];
  const redaction = new Redaction(namesNow, folder.root);
  const log = new LogFile(folder.logs, redaction);
  noteEvents(events, log);

  const close = async (workerWithinMs?: number) => {
    clearTimeout(backupTimer);
    lock.noteEnding();
    await api.close();
    await documentIndex.close();
    inspector.close();
    const sweepsEnded = sweeps.close();
    const answersEnded = chat.close();
    const readingsEnded = readings.close();
    await Promise.all([downloads.close(), supervisor.close(workerWithinMs), memories.close(), answersEnded, readingsEnded, sweepsEnded]);
    await client.close();
    database.close();
    lock.release();
  };
  let closed: Promise<void> | undefined;
  let backupTimer: NodeJS.Timeout | undefined;

  messages.markInterrupted();
  supervisor.onStatus((status) => events.emit('worker.status', status));

  const parts = { folder, database, events, settings, outbound, supervisor, session, files, documents, memories, catalogue, models };
  const host: Host = {
    ...parts,
    takesPaths: options.takesPaths ?? false,
    client,
    downloads,
    modelFolders,
    hubModels,
    updates,
    secrets,
    conversations,
    messages,
    folders,
    conversationEvents,
    presets,
    documentIndex,
    search,
    chat,
    pastWindow,
    readings,
    inspector,
    sweeps,
    api,
    redaction,
    log,
    get handlers() {
      return handlers;
    },
    begin: () => {
      supervisor.startSoon();
      readings.begin();
      void modelFolders.scan().then(() => events.emit('models.changed', models.list()));
      sweeps.begin();
      void downloads.restore(!settings.read().offline);
      void documentIndex.catchUp();
      void api.follow(settings.read().api);
      backupTimer = setTimeout(() => database.backUpIfDue(folder.backups), backupAfterMs).unref();
    },
    close: (workerWithinMs) => (closed ??= close(workerWithinMs)),
  };
  const handlers = createHandlers(host);
  return host;
}

/** When whatever the start had to do is done. */
const backupAfterMs = 60_000;

async function emptyFolder(folder: string): Promise<void> {
  for (const name of await readdir(folder)) await rm(join(folder, name), { recursive: true, force: true });
}
