/** The bar over every screen: the sidebar's button when it is closed, a title, tools. */
import { PanelLeftOpen } from 'lucide-react';
import type { ReactNode } from 'react';
import { IconButton } from '../ui/IconButton.tsx';
import { actions } from './actions/actions.ts';
import { strings } from './strings.ts';
import { useView } from './view.ts';

export function ScreenHeader({ children, tools }: { children: ReactNode; tools?: ReactNode }) {
  const sidebarOpen = useView((state) => state.sidebarOpen);
  return (
    <header className="flex h-11 shrink-0 items-center gap-2 border-b border-line px-3">
      {!sidebarOpen && (
        <IconButton
          icon={PanelLeftOpen}
          label={strings.navigation.showSidebar}
          shortcut={actions.keysOf('sidebar.toggle')}
          onClick={() => actions.perform('sidebar.toggle')}
        />
      )}
      <div className="flex min-w-0 flex-1 items-center pl-1">{children}</div>
      {tools && <div className="flex items-center gap-1">{tools}</div>}
    </header>
  );
}
