/** Keys of an action: matched against key presses and written as the platform writes them. */

export interface Keys {
  /** As `KeyboardEvent.key` has it, letters in lower case. */
  key: string;
  /** Ctrl, or ⌘ on a Mac. */
  mod?: boolean;
  shift?: boolean;
  /** Also while a text field has the focus; always so with `mod`. */
  whileTyping?: boolean;
}

export type KeyPress = Pick<KeyboardEvent, 'key' | 'ctrlKey' | 'metaKey' | 'shiftKey' | 'altKey'>;

export function isMac(): boolean {
  return typeof navigator !== 'undefined' && /mac/i.test(navigator.platform);
}

export function matches(keys: Keys, press: KeyPress, typing: boolean, mac = isMac()): boolean {
  const mod = mac ? press.metaKey : press.ctrlKey;
  const otherMod = mac ? press.ctrlKey : press.metaKey;
  if (press.altKey || otherMod || mod !== (keys.mod ?? false)) return false;
  if (typing && !keys.mod && !keys.whileTyping) return false;
  // A shifted sign such as “?” is its own key; shift is only asked about for letters and named keys.
  const shiftMatters = keys.key.length > 1 || /[a-z]/.test(keys.key);
  if (shiftMatters && press.shiftKey !== (keys.shift ?? false)) return false;
  return press.key.toLowerCase() === keys.key.toLowerCase();
}

export function writeKeys(keys: Keys, mac = isMac()): string {
  const name = keys.key === 'Escape' ? 'Esc' : keys.key.toUpperCase();
  const parts = [keys.mod && (mac ? '⌘' : 'Ctrl'), keys.shift && (mac ? '⇧' : 'Shift'), name].filter(Boolean);
  return parts.join(mac ? '' : '+');
}
