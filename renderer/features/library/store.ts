/** Documents the host knows, and files on their way to it. */
import { useStore } from 'zustand';
import { createStore } from 'zustand/vanilla';
import type { DocumentRecord, Failure } from '../../../host/contract/entities.ts';
import { type HostCaller, host } from '../../app/connection/session.ts';
import { failureOf } from '../../app/failures.ts';
import { type PickedFile, uploadFile } from '../../app/files.ts';
import { Turns } from '../../app/turns.ts';

/** As many as a small machine takes in side by side. */
const atOnce = 3;

/** A document that is not there yet: waiting for its turn, uploading, being extracted, or refused. */
export interface Arrival {
  id: number;
  name: string;
  /** It is its turn. */
  begun: boolean;
  fraction: number | null;
  failure: Failure | null;
}

export interface LibraryState {
  documents: Record<string, DocumentRecord>;
  arrivals: Arrival[];
  /** How many came since the last time that none was on its way. */
  cameTogether: number;
  /** Adds a file; resolves to its record, or to null when it was refused (the arrival says why). */
  add(file: PickedFile): Promise<DocumentRecord | null>;
  addText(name: string, text: string): Promise<DocumentRecord | null>;
  /** For documents that came in by another way. */
  refresh(): Promise<void>;
  dismissArrival(id: number): void;
}

export function createLibraryStore(caller: HostCaller, upload = uploadFile) {
  let nextArrival = 0;
  const turns = new Turns(atOnce);
  const store = createStore<LibraryState>((set) => {
    const change = (id: number, part: Partial<Arrival>) =>
      set((state) => ({ arrivals: state.arrivals.map((arrival) => (arrival.id === id ? { ...arrival, ...part } : arrival)) }));

    async function arrive(name: string, bring: (report: (fraction: number) => void) => Promise<DocumentRecord>): Promise<DocumentRecord | null> {
      const id = nextArrival++;
      set(({ arrivals, cameTogether }) => ({
        arrivals: [...arrivals, { id, name, begun: false, fraction: null, failure: null }],
        cameTogether: arrivals.some(({ failure }) => failure === null) ? cameTogether + 1 : 1,
      }));
      try {
        const record = await turns.take(() => {
          change(id, { begun: true });
          return bring((fraction) => change(id, { fraction }));
        });
        set((state) => ({
          documents: { ...state.documents, [record.id]: record },
          arrivals: state.arrivals.filter((arrival) => arrival.id !== id),
        }));
        return record;
      } catch (error) {
        change(id, { failure: failureOf(error) });
        return null;
      }
    }

    return {
      documents: {},
      arrivals: [],
      cameTogether: 0,
      add: (file) =>
        arrive(file.name, async (report) => caller.call('documents.add', { fileId: await upload(file, report) })),
      addText: (name, text) => arrive(name, () => caller.call('documents.addText', { name, text })),
      refresh: async () => {
        const records = await caller.call('documents.list', {});
        set({ documents: Object.fromEntries(records.map((record) => [record.id, record])) });
      },
      dismissArrival: (id) => set((state) => ({ arrivals: state.arrivals.filter((arrival) => arrival.id !== id) })),
    };
  });
  caller.onOpen(() => void store.getState().refresh().catch(() => undefined));
  return store;
}

export const libraryStore = createLibraryStore(host);

export function useLibrary<T>(selector: (state: LibraryState) => T): T {
  return useStore(libraryStore, selector);
}
