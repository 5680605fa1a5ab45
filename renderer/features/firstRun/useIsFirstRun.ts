import { useView } from '../../app/view.ts';
import { useSettings } from '../settings/store.ts';

/** Until the person leaves it: the screen stays when the model has arrived, to say that all is ready. */
export function useIsFirstRun(): boolean {
  const firstRun = useSettings((state) => state.firstRun);
  const left = useView((state) => state.firstRunLeft);
  return firstRun && !left;
}
