/** Sidebar, the chosen screen, status strip. In a narrow window the sidebar lies over the screen. */
import { useEffect } from 'react';
import { ChatScreen } from '../features/chat/components/ChatScreen.tsx';
import { DropZone } from '../features/chat/components/DropZone.tsx';
import { useChat } from '../features/chat/store.ts';
import { InspectorScreen } from '../features/inspector/components/InspectorScreen.tsx';
import { MemoriesScreen } from '../features/memories/components/MemoriesScreen.tsx';
import { ModelsScreen } from '../features/models/components/ModelsScreen.tsx';
import { SettingsScreen } from '../features/settings/components/SettingsScreen.tsx';
import { StorageScreen } from '../features/storage/components/StorageScreen.tsx';
import { useMediaQuery } from '../ui/useMediaQuery.ts';
import { Sidebar } from './Sidebar.tsx';
import { StatusStrip } from './StatusStrip.tsx';
import { strings } from './strings.ts';
import { narrowWindow, useView } from './view.ts';

const screens = { chat: ChatScreen, inspector: InspectorScreen, memories: MemoriesScreen, models: ModelsScreen, storage: StorageScreen, settings: SettingsScreen };

export function Layout() {
  const screen = useView((state) => state.screen);
  const sidebarOpen = useView((state) => state.sidebarOpen);
  const setSidebarOpen = useView((state) => state.setSidebarOpen);
  const narrow = useMediaQuery(narrowWindow);
  const Screen = screens[screen];
  const fitSidebar = useView((state) => state.fitSidebar);
  const activeId = useChat((state) => state.activeId);
  // In a narrow window the sidebar makes room for what was chosen in it.
  const chosen = narrow ? `${screen} ${activeId}` : null;
  // oxlint-disable-next-line react/exhaustive-effect-dependencies -- the choice itself is what matters
  useEffect(() => fitSidebar(narrow), [narrow, fitSidebar, chosen]);
  return (
    <>
      <div className="relative flex min-h-0 flex-1">
        {sidebarOpen && narrow && (
          <button type="button" aria-label={strings.navigation.hideSidebar} className="absolute inset-0 z-20 bg-overlay" onClick={() => setSidebarOpen(false)} />
        )}
        {sidebarOpen && (
          <div className={narrow ? 'floating absolute inset-y-0 left-0 z-20 flex rounded-none' : 'flex'}>
            <Sidebar />
          </div>
        )}
        <main className="flex min-w-0 flex-1 flex-col bg-surface">
          <Screen />
        </main>
        <DropZone />
      </div>
      <StatusStrip />
    </>
  );
}
