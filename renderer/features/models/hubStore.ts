/** What the person looks for at the hub, and what each file would take of this machine. */
import { useStore } from 'zustand';
import { createStore } from 'zustand/vanilla';
import type { Failure } from '../../../host/contract/entities.ts';
import type { HubContents, HubFilters, HubModelFile, HubRepository, TokenStatus, Verdict } from '../../../host/contract/hub.ts';
import { type HostCaller, host } from '../../app/connection/session.ts';
import { failureOf } from '../../app/failures.ts';

export type FileVerdict = { state: 'asking' } | { state: 'known'; verdict: Verdict } | { state: 'failed'; failure: Failure };

export interface HubState {
  query: string;
  filters: HubFilters;
  /** null before the first search. */
  results: HubRepository[] | null;
  /** Of the next page; null: there is none. */
  cursor: string | null;
  busy: boolean;
  failure: Failure | null;
  /** The repository whose files are shown. */
  openId: string | null;
  contents: Record<string, HubContents | Failure>;
  /** The window that verdicts are for. */
  contextTokens: number;
  /** By `verdictKey`. */
  verdicts: Record<string, FileVerdict>;
  token: TokenStatus | null;
  setQuery(query: string): void;
  setFilters(part: Partial<HubFilters>): void;
  search(): Promise<void>;
  more(): Promise<void>;
  open(repositoryId: string | null): Promise<void>;
  setContext(tokens: number): void;
  download(repositoryId: string, file: HubModelFile): Promise<void>;
  loadToken(): Promise<void>;
  setToken(token: string | null): Promise<void>;
}

const startFilters: HubFilters = { licence: null, family: null, mostParameters: null, leastContextTokens: null, onlyRunnable: true };
/** A chapter or two; most models take more. */
const startContextTokens = 16_384;

export function verdictKey(repositoryId: string, path: string, contextTokens: number): string {
  return `${repositoryId}/${path} ${contextTokens}`;
}

export function isContents(found: HubContents | Failure): found is HubContents {
  return 'files' in found;
}

export function createHubStore(caller: HostCaller) {
  /** Answers of searches that another has overtaken are not shown. */
  let searches = 0;
  const store = createStore<HubState>((set, get) => ({
    query: '',
    filters: startFilters,
    results: null,
    cursor: null,
    busy: false,
    failure: null,
    openId: null,
    contents: {},
    contextTokens: startContextTokens,
    verdicts: {},
    token: null,
    setQuery: (query) => set({ query }),
    setFilters: (part) => {
      set((state) => ({ filters: { ...state.filters, ...part } }));
      if (get().results) void get().search();
    },
    async search() {
      const { query, filters } = get();
      const own = ++searches;
      set({ busy: true, failure: null, openId: null });
      try {
        const { repositories, cursor } = await caller.call('hub.search', { query: query.trim(), filters, cursor: null });
        if (own !== searches) return;
        set({ results: repositories, cursor, busy: false });
        const [only] = repositories;
        if (only && repositories.length === 1) void get().open(only.id);
      } catch (error) {
        if (own === searches) set({ busy: false, failure: failureOf(error), results: null });
      }
    },
    async more() {
      const { query, filters, cursor, results } = get();
      if (cursor === null) return;
      set({ busy: true, failure: null });
      try {
        const page = await caller.call('hub.search', { query: query.trim(), filters, cursor });
        const known = new Set(results?.map(({ id }) => id));
        set({ results: [...(results ?? []), ...page.repositories.filter(({ id }) => !known.has(id))], cursor: page.cursor, busy: false });
      } catch (error) {
        set({ busy: false, failure: failureOf(error) });
      }
    },
    async open(openId) {
      set({ openId });
      if (openId === null) return;
      const known = get().contents[openId];
      if (!known || !isContents(known)) {
        try {
          const contents = await caller.call('hub.contents', { reference: openId });
          set((state) => ({ contents: { ...state.contents, [openId]: contents } }));
        } catch (error) {
          set((state) => ({ contents: { ...state.contents, [openId]: failureOf(error) } }));
          return;
        }
      }
      void judgeOpen();
    },
    setContext(contextTokens) {
      set({ contextTokens });
      void judgeOpen();
    },
    async download(repositoryId, { path }) {
      const contents = get().contents[repositoryId];
      if (!contents || !isContents(contents)) return;
      await caller.call('hub.download', { repository: repositoryId, revision: contents.commit, path });
    },
    async loadToken() {
      set({ token: await caller.call('hub.token', {}) });
    },
    async setToken(token) {
      set({ token: await caller.call('hub.setToken', { token }), verdicts: {} });
      void judgeOpen();
    },
  }));

  /** Verdicts of all files that are shown, one after the other: each may read a header at the hub. */
  async function judgeOpen(): Promise<void> {
    const { openId, contextTokens } = store.getState();
    const contents = openId === null ? undefined : store.getState().contents[openId];
    if (openId === null || !contents || !isContents(contents)) return;
    for (const { path } of contents.files) {
      const key = verdictKey(openId, path, contextTokens);
      const note = (verdict: FileVerdict) => store.setState((state) => ({ verdicts: { ...state.verdicts, [key]: verdict } }));
      const known = store.getState().verdicts[key];
      if (known && known.state !== 'failed') continue;
      note({ state: 'asking' });
      try {
        note({ state: 'known', verdict: await caller.call('hub.verdict', { repository: openId, revision: contents.commit, path, contextTokens }) });
      } catch (error) {
        note({ state: 'failed', failure: failureOf(error) });
      }
      if (store.getState().openId !== openId || store.getState().contextTokens !== contextTokens) return;
    }
  }
  return store;
}

export const hubStore = createHubStore(host);

export function useHub<T>(selector: (state: HubState) => T): T {
  return useStore(hubStore, selector);
}
