/** The words that the desktop itself shows: in the language of the window, and until that is known in the system's. */
import { app } from 'electron';
import { type Language, resolveLanguage } from '../../host/contract/languages.ts';
import { english, type Words } from './english.ts';
import { german } from './german.ts';
import { japanese } from './japanese.ts';

const all: Record<Language, Words> = { en: english, de: german, ja: japanese };
let told: Language | undefined;

export function speak(language: Language): void {
  told = language;
}

export function words(): Words {
  return all[told ?? resolveLanguage(null, app.getPreferredSystemLanguages())];
}
