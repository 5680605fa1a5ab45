/**
 * Failures of the host in the language of the window. The host writes its sentences in English, with all that is known; in
 * other languages what kind of failure it is stands before them.
 */
import type { Failure } from '../../host/contract/entities.ts';
import { german } from './failureWords.de.ts';
import { japanese } from './failureWords.ja.ts';
import { type Language, language } from './language.ts';

const tables: Record<Exclude<Language, 'en'>, Record<string, string>> = { de: german, ja: japanese };

export function inWords(failure: Failure, asked: Language = language): Failure {
  const kind = asked === 'en' ? undefined : tables[asked][failure.code];
  return kind === undefined ? failure : { ...failure, message: kind, remedy: `${failure.message} ${failure.remedy}` };
}
