/**
 * The language of the window: chosen when it is loaded, because words are taken from their tables then; another choice
 * loads it again. A feature's table of words in English is the measure of the other languages' tables: a word that one
 * of them lacks is an error of types.
 */
import type { Settings } from '../../host/contract/entities.ts';
import { isLanguage, type Language, resolveLanguage } from '../../host/contract/languages.ts';
import { remembered } from './remembered.ts';

/** In their own words. */
export const languageNames: Record<Language, string> = { en: 'English', de: 'Deutsch', ja: '日本語' };

/** As it is remembered from the last time. */
export function chosenLanguage(name: string | null): Settings['language'] {
  return isLanguage(name) ? name : 'system';
}

/** Outside a window, as in tests of single parts, it is English. */
export const language: Language = typeof document === 'undefined' ? 'en' : resolveLanguage(chosenLanguage(remembered('language')), navigator.languages);
if (typeof document !== 'undefined') document.documentElement.lang = language;

/** The same words in another language: every text a text, every sentence a function of the same arguments. */
export type Translated<T> = T extends string
  ? string
  : T extends (...given: infer Given) => string
    ? (...given: Given) => string
    : { readonly [Name in keyof T]: Translated<T[Name]> };

export function localised<T>(english: T, others: Record<Exclude<Language, 'en'>, Translated<T>>): Translated<T> {
  return language === 'en' ? (english as Translated<T>) : others[language];
}
