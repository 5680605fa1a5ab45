/** The words about newer versions. */
import { type Translated, localised } from '../../app/language.ts';
import { german } from './updateStrings.de.ts';
import { japanese } from './updateStrings.ja.ts';

const english = {
  title: 'Updates',
  label: 'Newer version',
  off: 'This copy was made without an address of updates: it never asks for any.',
  unasked: 'Longleaf asks only when you press the button.',
  check: 'Look for one',
  current: (version: string) => `Longleaf ${version} is the newest version.`,
  available: (version: string, size: string) => `Version ${version} is there (${size}).`,
  fetch: 'Fetch it',
  fetched: (version: string, path: string) => `Version ${version} is fetched and checked: ${path}. Your chats were backed up. Quit Longleaf and open that file.`,
} as const;

export type UpdateStrings = Translated<typeof english>;
export const updateStrings: UpdateStrings = localised(english, { de: german, ja: japanese });
