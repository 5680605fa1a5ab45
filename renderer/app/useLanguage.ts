import { useEffect } from 'react';
import { resolveLanguage } from '../../host/contract/languages.ts';
import { useSettings } from '../features/settings/store.ts';
import { chosenLanguage, language } from './language.ts';
import { remember, remembered } from './remembered.ts';
import { rememberScreen } from './view.ts';

/** Loads the window again in the language that the person has chosen. */
export function useLanguage(): void {
  const known = useSettings((state) => state.known);
  const chosen = useSettings((state) => state.settings.language);
  useEffect(() => {
    if (!known || chosen === chosenLanguage(remembered('language'))) return;
    remember('language', chosen === 'system' ? null : chosen);
    if (resolveLanguage(chosen, navigator.languages) === language) return;
    rememberScreen();
    window.location.reload();
  }, [known, chosen]);
}
