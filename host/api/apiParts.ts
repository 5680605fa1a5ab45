/** What the API needs of the host. */
import type { ModelRecord } from '../contract/entities.ts';
import type { DocumentLibrary } from '../documents/documentLibrary.ts';
import type { HostEvents } from '../events.ts';
import type { FileRegistry } from '../fileRegistry.ts';
import type { MemoryShelf } from '../memories/memoryShelf.ts';
import type { ModelStore } from '../models/modelStore.ts';
import type { Readings } from '../readings/readings.ts';
import type { DocumentIndex } from '../search/documentIndex.ts';
import type { DataFolder } from '../storage/dataFolder.ts';
import type { SettingsStore } from '../storage/settingsStore.ts';
import type { ModelSession } from '../worker/modelSession.ts';
import type { WorkerSupervisor } from '../worker/supervisor.ts';
import type { WorkLine } from '../worker/workLine.ts';

export interface ApiParts {
  folder: DataFolder;
  files: FileRegistry;
  documents: DocumentLibrary;
  documentIndex: DocumentIndex;
  models: ModelStore;
  settings: SettingsStore;
  supervisor: WorkerSupervisor;
  session: ModelSession;
  line: WorkLine;
  memories: MemoryShelf;
  readings: Readings;
  events: HostEvents;
}

/** By id, or by the name that people chose it by; without either, the default. @throws `model-not-found`, `no-model`. */
export function findModel({ models, settings }: Pick<ApiParts, 'models' | 'settings'>, wanted: string | null | undefined): ModelRecord {
  if (wanted === undefined || wanted === null) return models.defaultModel(settings.read().defaultModelId);
  return models.list().find(({ id, name }) => id === wanted || name === wanted) ?? models.get(wanted);
}
