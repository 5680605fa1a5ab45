/** What is on the screen: nothing here is worth more than a click. */
import { useStore } from 'zustand';
import { createStore } from 'zustand/vanilla';
import { remember, remembered } from './remembered.ts';

export type Screen = 'chat' | 'inspector' | 'memories' | 'models' | 'storage' | 'settings';

/** Below this width sidebar and text do not fit beside each other. */
export const narrowWindow = '(max-width: 47.9375rem)';

export interface ViewState {
  screen: Screen;
  sidebarOpen: boolean;
  paletteOpen: boolean;
  searchOpen: boolean;
  /** A message that was looked for: the transcript shows it. */
  wantedMessageId: string | null;
  meterOpen: boolean;
  /** The person has left the first-run screen. */
  firstRunLeft: boolean;
  /** Counts wishes to write: the composer takes the focus at each. */
  composerWishes: number;
  show(screen: Screen): void;
  setSidebarOpen(open: boolean): void;
  fitSidebar(narrow: boolean): void;
  setSearchOpen(open: boolean): void;
  wantMessage(messageId: string | null): void;
  setPaletteOpen(open: boolean): void;
  setMeterOpen(open: boolean): void;
  leaveFirstRun(): void;
  focusComposer(): void;
}

const afterReload = 'screen';

/** For a window that loads itself again: it is to look as before. */
export function rememberScreen(): void {
  remember(afterReload, viewStore.getState().screen);
}

function firstScreen(): Screen {
  const screen = remembered(afterReload);
  remember(afterReload, null);
  return screen === 'settings' ? 'settings' : 'chat';
}

export const viewStore = createStore<ViewState>((set) => ({
  screen: firstScreen(),
  sidebarOpen: remembered('sidebar') !== 'closed',
  paletteOpen: false,
  searchOpen: false,
  wantedMessageId: null,
  meterOpen: false,
  firstRunLeft: false,
  composerWishes: 0,
  show: (screen) => set({ screen }),
  setSidebarOpen: (sidebarOpen) => {
    // In a narrow window the sidebar comes and goes; only the choice made in a wide one is kept.
    if (!window.matchMedia(narrowWindow).matches) remember('sidebar', sidebarOpen ? null : 'closed');
    set({ sidebarOpen });
  },
  fitSidebar: (narrow) => set({ sidebarOpen: !narrow && remembered('sidebar') !== 'closed' }),
  setSearchOpen: (searchOpen) => set({ searchOpen }),
  wantMessage: (wantedMessageId) => set({ wantedMessageId }),
  setPaletteOpen: (paletteOpen) => set({ paletteOpen }),
  setMeterOpen: (meterOpen) => set({ meterOpen }),
  leaveFirstRun: () => set({ firstRunLeft: true, screen: 'chat' }),
  focusComposer: () => set((state) => ({ screen: 'chat', composerWishes: state.composerWishes + 1 })),
}));

export function useView<T>(selector: (state: ViewState) => T): T {
  return useStore(viewStore, selector);
}
