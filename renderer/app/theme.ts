/** Light, dark, or as the system has it; with high contrast, as the system has it, too. */
import { useEffect } from 'react';
import type { Settings } from '../../host/contract/entities.ts';
import { useSettings } from '../features/settings/store.ts';
import { useMediaQuery } from '../ui/useMediaQuery.ts';
import { remember, remembered } from './remembered.ts';

export type Theme = 'light' | 'dark';

const systemIsDark = '(prefers-color-scheme: dark)';
const systemWantsContrast = '(prefers-contrast: more)';

export function resolveTheme(chosen: Settings['theme'], dark: boolean): Theme {
  return chosen === 'light' || chosen === 'dark' ? chosen : dark ? 'dark' : 'light';
}

export function currentTheme(): Theme {
  return document.documentElement.dataset.theme === 'dark' ? 'dark' : 'light';
}

function apply(chosen: Settings['theme'], theme: Theme, moreContrast: boolean): void {
  const { dataset } = document.documentElement;
  dataset.theme = theme;
  if (chosen === 'contrast' || (chosen === 'system' && moreContrast)) dataset.contrast = 'more';
  else delete dataset.contrast;
}

/** Before the host has answered: the theme of the last time, so that the window does not flash. */
export function applyRememberedTheme(): void {
  const last = remembered('theme');
  const chosen = last === 'light' || last === 'dark' || last === 'contrast' ? last : 'system';
  apply(chosen, resolveTheme(chosen, window.matchMedia(systemIsDark).matches), window.matchMedia(systemWantsContrast).matches);
}

export function useTheme(): Theme {
  const known = useSettings((state) => state.known);
  const chosen = useSettings((state) => state.settings.theme);
  const dark = useMediaQuery(systemIsDark);
  const moreContrast = useMediaQuery(systemWantsContrast);
  const theme = known ? resolveTheme(chosen, dark) : currentTheme();
  useEffect(() => {
    if (!known) return;
    apply(chosen, theme, moreContrast);
    remember('theme', chosen);
  }, [known, theme, chosen, moreContrast]);
  return theme;
}
