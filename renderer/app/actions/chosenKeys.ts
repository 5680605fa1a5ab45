/** Keys that a person chose, as they are kept: “mod+shift+k”, “/”, “mod++”. */
import type { Keys } from './keys.ts';

export function keysToText({ key, mod, shift }: Keys): string {
  return [mod && 'mod', shift && 'shift', key].filter(Boolean).join('+');
}

/** Null for a text that names no key. */
export function textToKeys(text: string): Keys | null {
  let rest = text;
  const take = (part: string) => {
    if (!rest.startsWith(`${part}+`) || rest.length === part.length + 1) return false;
    rest = rest.slice(part.length + 1);
    return true;
  };
  const mod = take('mod');
  const shift = take('shift');
  return rest === '' ? null : { key: rest, ...(mod && { mod }), ...(shift && { shift }) };
}

const modifiers = new Set(['Control', 'Meta', 'Shift', 'Alt', 'AltGraph', 'CapsLock', 'Dead', 'Process', 'Unidentified']);

/**
 * What was pressed, if it can be a shortcut: a letter or sign with Ctrl or ⌘, a function key, or a sign by itself. Plain
 * letters are for typing; Alt is the menus’ and many keyboards' way to further signs.
 */
export function keysOfPress(press: Pick<KeyboardEvent, 'key' | 'ctrlKey' | 'metaKey' | 'shiftKey' | 'altKey'>, mac: boolean): Keys | null {
  const mod = mac ? press.metaKey : press.ctrlKey;
  if (modifiers.has(press.key) || press.altKey || (mac ? press.ctrlKey : press.metaKey)) return null;
  const single = [...press.key].length === 1;
  const letter = single && press.key.toLowerCase() !== press.key.toUpperCase();
  if (!mod && (letter || /^[\d ]$/.test(press.key) || ['Enter', 'Tab', 'Backspace', 'Delete', 'Escape'].includes(press.key))) return null;
  if (['Tab', 'Enter', 'Escape'].includes(press.key)) return null;
  const named = !single || letter;
  return { key: single ? press.key.toLowerCase() : press.key, ...(mod && { mod }), ...(press.shiftKey && named && { shift: true }) };
}
