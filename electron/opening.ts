/**
 * What is opened from outside: files that the desktop hands over, and `longleaf://` links. A link may come from any
 * web page, so it can only show something: it starts, changes and fetches nothing.
 */
import { statSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Opened } from '../host/contract/shell.ts';

export const linkScheme = 'longleaf';

const screens = ['chat', 'memories', 'models', 'settings'] as const;

/** `longleaf://memories`, `longleaf://chat/<id>`; undefined for everything else. */
export function readLink(text: string): Opened | undefined {
  const [, place, id] = /^longleaf:\/\/([a-z]+)(?:\/([A-Za-z0-9_-]{1,64}))?\/?$/.exec(text) ?? [];
  const screen = screens.find((known) => known === place);
  if (!screen) return undefined;
  if (id === undefined) return { kind: 'screen', screen };
  return screen === 'chat' ? { kind: 'conversation', conversationId: id } : undefined;
}

/** The files and links on a command line; switches, folders and what does not exist are none. */
export function readArguments(args: readonly string[], workingFolder: string): { paths: string[]; links: string[] } {
  const named = args.filter((argument) => !argument.startsWith('-'));
  const isLink = (argument: string) => argument.startsWith(`${linkScheme}:`);
  return {
    links: named.filter(isLink),
    paths: named.filter((argument) => !isLink(argument)).map((argument) => resolve(workingFolder, argument)).filter(isFile),
  };
}

function isFile(path: string): boolean {
  try {
    return statSync(path).isFile();
  } catch {
    return false;
  }
}
