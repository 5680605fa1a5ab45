import { Toaster } from 'sonner';
import { useStore } from 'zustand';
import { MovingScreen } from '../features/dataFolder/components/MovingScreen.tsx';
import { useDataFolder } from '../features/dataFolder/store.ts';
import { FirstRunScreen } from '../features/firstRun/components/FirstRunScreen.tsx';
import { useIsFirstRun } from '../features/firstRun/useIsFirstRun.ts';
import { useModels } from '../features/models/store.ts';
import { SearchDialog } from '../features/search/components/SearchDialog.tsx';
import { useSettings } from '../features/settings/store.ts';
import { Spinner } from '../ui/Spinner.tsx';
import { TooltipProvider } from '../ui/Tooltip.tsx';
import { Banner } from './Banner.tsx';
import { CommandPalette } from './CommandPalette.tsx';
import { Layout } from './Layout.tsx';
import { host } from './connection/session.ts';
import { strings } from './strings.ts';
import { useLanguage } from './useLanguage.ts';
import { useTheme } from './theme.ts';

export function App() {
  const theme = useTheme();
  const settingsKnown = useSettings((state) => state.known);
  const modelsKnown = useModels((state) => state.known);
  const known = settingsKnown && modelsKnown;
  const firstRun = useIsFirstRun();
  const link = useStore(host.link);
  const move = useDataFolder((state) => state.status?.move ?? null);
  useLanguage();
  return (
    <TooltipProvider delayDuration={350} skipDelayDuration={200}>
      <div className="flex h-full flex-col">
        {/* At the end of a move the connection is made anew: nothing is lost. */}
        {move?.phase !== 'opening' && <Banner quiet={!known || firstRun || move !== null} />}
        {move ? <MovingScreen move={move} /> : !known ? <Connecting visible={link.phase !== 'lost'} /> : firstRun ? <FirstRunScreen /> : <Layout />}
      </div>
      <CommandPalette />
      <SearchDialog />
      <Toaster theme={theme} position="top-right" visibleToasts={3} offset={{ top: 52, right: 12 }} gap={8} closeButton={false} />
    </TooltipProvider>
  );
}

function Connecting({ visible }: { visible: boolean }) {
  return (
    <main className="flex flex-1 items-center justify-center gap-2 text-quiet" aria-busy="true">
      {visible && (
        <>
          <Spinner />
          {strings.link.connecting}
        </>
      )}
    </main>
  );
}
