/** Which document lies open beside the chat, and where in it somebody wants to look. */
import { useStore } from 'zustand';
import { createStore } from 'zustand/vanilla';
import { remember, remembered } from '../../app/remembered.ts';

export interface ReaderTarget {
  /** Characters of the extracted text. */
  start: number;
  end: number;
  /** A place, or a passage to be marked. */
  marked: boolean;
  /** Grows with every wish: the same place may be wanted again. */
  wish: number;
}

export type ReaderView = 'pages' | 'text';

export interface ReaderState {
  documentId: string | null;
  target: ReaderTarget | null;
  /** Of documents that have pages to look at. */
  view: ReaderView;
  wide: boolean;
  /** Opens a document, at a passage when one is given. */
  open(documentId: string, passage?: { start: number; end: number }): void;
  goTo(start: number): void;
  close(): void;
  setView(view: ReaderView): void;
  setWide(wide: boolean): void;
}

export const readerStore = createStore<ReaderState>((set, get) => {
  let wishes = 0;
  return {
    documentId: null,
    target: null,
    view: 'pages',
    wide: remembered('reader') === 'wide',
    open: (documentId, passage) => {
      const target = passage ? { ...passage, marked: true, wish: ++wishes } : null;
      set({ documentId, target: target ?? (documentId === get().documentId ? get().target : null) });
    },
    goTo: (start) => set({ target: { start, end: start + 1, marked: false, wish: ++wishes } }),
    close: () => set({ documentId: null, target: null }),
    setView: (view) => set({ view }),
    setWide: (wide) => {
      remember('reader', wide ? 'wide' : null);
      set({ wide });
    },
  };
});

export function useReader<T>(selector: (state: ReaderState) => T): T {
  return useStore(readerStore, selector);
}
