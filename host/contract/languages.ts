/** The languages that Longleaf speaks, and which of them somebody gets. */
export const languages = ['en', 'de', 'ja'] as const;
export type Language = (typeof languages)[number];

export function isLanguage(name: string | null): name is Language {
  return languages.some((language) => language === name);
}

/** `preferred`: tags such as `de-AT`, the best first. */
export function resolveLanguage(chosen: string | null, preferred: readonly string[]): Language {
  if (isLanguage(chosen)) return chosen;
  return preferred.map((name) => name.slice(0, 2).toLowerCase()).find(isLanguage) ?? 'en';
}
