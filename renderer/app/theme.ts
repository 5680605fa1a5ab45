/** Light, dark, or as the system has it. */
import { useEffect } from 'react';
import type { Settings } from '../../host/contract/entities.ts';
import { useSettings } from '../features/settings/store.ts';
import { useMediaQuery } from '../ui/useMediaQuery.ts';
import { remember, remembered } from './remembered.ts';

export type Theme = 'light' | 'dark';

const systemIsDark = '(prefers-color-scheme: dark)';

export function resolveTheme(chosen: Settings['theme'], dark: boolean): Theme {
  return chosen === 'system' ? (dark ? 'dark' : 'light') : chosen;
}

export function currentTheme(): Theme {
  return document.documentElement.dataset.theme === 'dark' ? 'dark' : 'light';
}

/** Before the host has answered: the theme of the last time, so that the window does not flash. */
export function applyRememberedTheme(): void {
  const last = remembered('theme');
  const chosen = last === 'light' || last === 'dark' ? last : 'system';
  document.documentElement.dataset.theme = resolveTheme(chosen, window.matchMedia(systemIsDark).matches);
}

export function useTheme(): Theme {
  const known = useSettings((state) => state.known);
  const chosen = useSettings((state) => state.settings.theme);
  const dark = useMediaQuery(systemIsDark);
  const theme = known ? resolveTheme(chosen, dark) : currentTheme();
  useEffect(() => {
    if (!known) return;
    document.documentElement.dataset.theme = theme;
    remember('theme', chosen);
  }, [known, theme, chosen]);
  return theme;
}
