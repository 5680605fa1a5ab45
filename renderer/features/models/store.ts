/** Installed models, the catalogue, and downloads under way. */
import { useStore } from 'zustand';
import { createStore } from 'zustand/vanilla';
import type { CatalogueEntry, Download, Failure, ModelRecord } from '../../../host/contract/entities.ts';
import type { FolderImport } from '../../../host/contract/hub.ts';
import type { MethodResult } from '../../../host/contract/methods.ts';
import { type HostCaller, host } from '../../app/connection/session.ts';
import { type PickedFile, uploadFile } from '../../app/files.ts';
import { failureOf } from '../../app/failures.ts';

export type Verification = { state: 'checking' } | { state: 'matches'; sha256: string } | { state: 'differs'; failure: Failure };

/** `link`: used where it is; left out: kept in the data folder. */
export type ImportWay = 'link' | undefined;

/** A model file being brought in by hand; `fraction` is known while it is uploaded. */
export interface ModelImport {
  name: string;
  fraction: number | null;
  failure: Failure | null;
}

export type Recommendation = MethodResult<'models.recommended'>[number] & { first: boolean };

/** A drive that is away is looked for until it is back. */
const lookAgainMs = 3000;

export interface ModelsState {
  known: boolean;
  models: ModelRecord[];
  catalogue: CatalogueEntry[];
  /** How entries of the catalogue suit this machine; `first`: the best that does. */
  recommended: Partial<Record<string, Recommendation>>;
  downloads: Record<string, Download>;
  verifications: Record<string, Verification>;
  importing: ModelImport | null;
  /** What the last folder that was added had in it. */
  imported: FolderImport | null;
  startDownload(catalogueId: string): Promise<void>;
  pauseDownload(downloadId: string): Promise<void>;
  resumeDownload(downloadId: string): Promise<void>;
  cancelDownload(downloadId: string): Promise<void>;
  importModel(file: PickedFile, how?: ImportWay): Promise<boolean>;
  importFolder(folder: { fileId: string; name: string }, how?: ImportWay): Promise<boolean>;
  /** A file or a folder, in a browser. */
  importPath(path: string, how?: ImportWay): Promise<boolean>;
  dismissImport(): void;
  /** Drives come and go without anybody telling. */
  refresh(): Promise<void>;
  /** Asked for when somebody looks: it may start the GPU process. */
  loadRecommended(): Promise<void>;
  verify(modelId: string): Promise<void>;
  remove(modelId: string): Promise<void>;
}

export function createModelsStore(caller: HostCaller, upload = uploadFile) {
  const store = createStore<ModelsState>((set) => ({
    known: false,
    models: [],
    catalogue: [],
    recommended: {},
    downloads: {},
    verifications: {},
    importing: null,
    imported: null,
    async startDownload(catalogueId) {
      const download = await caller.call('downloads.start', { catalogueId });
      // What went wrong with a file by hand is over when another way is taken.
      set((state) => ({ importing: state.importing?.failure ? null : state.importing, downloads: { ...state.downloads, [download.id]: download } }));
    },
    async pauseDownload(downloadId) {
      await caller.call('downloads.pause', { downloadId });
    },
    async resumeDownload(downloadId) {
      await caller.call('downloads.resume', { downloadId });
    },
    async cancelDownload(downloadId) {
      await caller.call('downloads.cancel', { downloadId });
    },
    importModel: (file, how) =>
      bringIn(file.name, async () => {
        const fileId = await upload(file, (fraction) => set({ importing: { name: file.name, fraction, failure: null } }));
        await caller.call('models.import', { fileId, how });
      }),
    importFolder: ({ fileId, name }, how) =>
      // A folder that is used where it is stays in the list of folders.
      bringIn(name, async () => set({ imported: await (how === 'link' ? caller.call('modelFolders.add', { fileId }) : caller.call('models.importFolder', { fileId })) })),
    importPath: (path, how) =>
      bringIn(path, async () => {
        const imported = await caller.call('models.importPath', { path, how });
        // What one file gave is seen in the table.
        if (imported.added.length !== 1 || imported.failed.length > 0) set({ imported });
      }),
    async refresh() {
      set({ models: await caller.call('models.list', {}) });
    },
    async loadRecommended() {
      const found = await caller.call('models.recommended', {}).catch(() => []);
      set({ recommended: Object.fromEntries(found.map((one, index) => [one.id, { ...one, first: index === 0 && one.level !== 'too-large' }])) });
    },
    dismissImport() {
      set({ importing: null, imported: null });
    },
    async verify(modelId) {
      const note = (verification: Verification) => set((state) => ({ verifications: { ...state.verifications, [modelId]: verification } }));
      note({ state: 'checking' });
      try {
        const result = await caller.call('models.verify', { modelId });
        if (result.ok) note({ state: 'matches', sha256: result.sha256 });
        else note({ state: 'differs', failure: result.failure ?? { code: 'checksum', message: result.sha256, remedy: '' } });
      } catch (error) {
        note({ state: 'differs', failure: failureOf(error) });
      }
    },
    async remove(modelId) {
      await caller.call('models.remove', { modelId });
      set({ models: await caller.call('models.list', {}) });
    },
  }));
  /** Whether it worked; if not, the reason stays in its place. */
  async function bringIn(name: string, work: () => Promise<void>): Promise<boolean> {
    store.setState({ importing: { name, fraction: null, failure: null }, imported: null });
    try {
      await work();
      store.setState({ importing: null, models: await caller.call('models.list', {}) });
      return true;
    } catch (error) {
      store.setState({ importing: { name, fraction: null, failure: failureOf(error) } });
      return false;
    }
  }

  let look: ReturnType<typeof setTimeout> | undefined;
  store.subscribe(({ models, refresh }) => {
    if (look !== undefined || models.every(({ state }) => state === 'ready')) return;
    look = setTimeout(() => {
      look = undefined;
      void refresh().catch(() => undefined);
    }, lookAgainMs);
  });
  caller.on('models.changed', (models) => store.setState({ models }));
  caller.on('downloads.changed', (download) => {
    store.setState((state) => ({ downloads: { ...state.downloads, [download.id]: download } }));
  });
  caller.onOpen(() => void load().catch(() => undefined));

  async function load(): Promise<void> {
    const [models, catalogue, downloads] = await Promise.all([
      caller.call('models.list', {}),
      caller.call('models.catalogue', {}),
      caller.call('downloads.list', {}),
    ]);
    store.setState({ known: true, models, catalogue, downloads: Object.fromEntries(downloads.map((download) => [download.id, download])) });
  }
  return store;
}

export const modelsStore = createModelsStore(host);

export function useModels<T>(selector: (state: ModelsState) => T): T {
  return useStore(modelsStore, selector);
}

/** The model that answers, by the host's rule: the chat's own, else the default, else the first that is ready, else one whose drive is away. */
export function answeringModel(models: readonly ModelRecord[], own: string | null, preferred: string | null): ModelRecord | null {
  const ready = models.filter(({ state }) => state === 'ready');
  return models.find(({ id }) => id === own) ?? ready.find(({ id }) => id === preferred) ?? ready[0] ?? models.find(({ id }) => id === preferred) ?? models[0] ?? null;
}

export function isUnderWay(download: Download): boolean {
  return ['starting', 'downloading', 'waiting', 'verifying'].includes(download.state);
}

/** The newest download of a catalogue entry: the one whose state the card shows. */
export function downloadOf(downloads: Record<string, Download>, catalogueId: string): Download | null {
  const own = Object.values(downloads).filter((download) => download.catalogueId === catalogueId);
  return own.find(isUnderWay) ?? own.at(-1) ?? null;
}

/** A catalogue entry counts as installed when a model has its checksum, or came from its download. */
export function installedModelOf(models: ModelRecord[], entry: CatalogueEntry): ModelRecord | null {
  return models.find((model) => model.sha256 === entry.sha256 || (model.sha256 === null && model.fileName === entry.fileName)) ?? null;
}
