import { clsx } from 'clsx';
import { BookMarked, Boxes, HardDrive, PanelLeftClose, Search, Settings, SquarePen, type LucideIcon } from 'lucide-react';
import { ConversationList } from '../features/chat/components/ConversationList.tsx';
import { searchStrings } from '../features/search/strings.ts';
import { useSettings } from '../features/settings/store.ts';
import { IconButton } from '../ui/IconButton.tsx';
import { Shortcut } from '../ui/Shortcut.tsx';
import { Wordmark } from './Wordmark.tsx';
import { actions } from './actions/actions.ts';
import { strings } from './strings.ts';
import { type Screen, useView } from './view.ts';

export function Sidebar() {
  // The keys that are shown may be changed.
  useSettings((state) => state.settings.shortcuts);
  return (
    <nav aria-label={strings.navigation.main} className="flex w-60 flex-col border-r border-line bg-canvas">
      <div className="flex h-11 items-center justify-between pr-2 pl-3">
        <Wordmark />
        <IconButton
          icon={PanelLeftClose}
          label={strings.navigation.hideSidebar}
          shortcut={actions.keysOf('sidebar.toggle')}
          onClick={() => actions.perform('sidebar.toggle')}
        />
      </div>
      <div className="px-2 pb-1">
        <button
          type="button"
          onClick={() => actions.perform('chat.new')}
          className="flex h-8 w-full items-center gap-2 rounded-md px-2 hover:bg-hover active:bg-pressed"
        >
          <SquarePen size={15} strokeWidth={1.75} className="text-quiet" aria-hidden />
          <span className="flex-1 text-left">{strings.navigation.newChat}</span>
          <Shortcut keys={actions.keysOf('chat.new') ?? ''} />
        </button>
        <button
          type="button"
          onClick={() => actions.perform('search.open')}
          className="flex h-8 w-full items-center gap-2 rounded-md px-2 hover:bg-hover active:bg-pressed"
        >
          <Search size={15} strokeWidth={1.75} className="text-quiet" aria-hidden />
          <span className="flex-1 text-left">{searchStrings.open}</span>
          <Shortcut keys={actions.keysOf('search.open') ?? ''} />
        </button>
      </div>
      <ConversationList />
      <div className="border-t border-line p-2">
        <NavigationItem icon={BookMarked} screen="memories" label={strings.navigation.memories} action="memories.open" />
        <NavigationItem icon={Boxes} screen="models" label={strings.navigation.models} action="models.open" />
        <NavigationItem icon={HardDrive} screen="storage" label={strings.navigation.storage} action="storage.open" />
        <NavigationItem icon={Settings} screen="settings" label={strings.navigation.settings} action="settings.open" />
      </div>
    </nav>
  );
}

function NavigationItem({ icon: Icon, screen, label, action }: { icon: LucideIcon; screen: Screen; label: string; action: string }) {
  const current = useView((state) => state.screen === screen);
  return (
    <button
      type="button"
      aria-current={current ? 'page' : undefined}
      onClick={() => actions.perform(action)}
      className={clsx('flex h-8 w-full items-center gap-2 rounded-md px-2 text-left', current ? 'bg-pressed font-medium' : 'hover:bg-hover')}
    >
      <Icon size={15} strokeWidth={1.75} className="text-quiet" aria-hidden />
      <span className="flex-1">{label}</span>
      <Shortcut keys={actions.keysOf(action) ?? ''} />
    </button>
  );
}
