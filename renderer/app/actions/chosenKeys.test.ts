import { describe, expect, it } from 'vitest';
import { keysOfPress, keysToText, textToKeys } from './chosenKeys.ts';
import { ActionRegistry } from './registry.ts';

const press = (key: string, held: Partial<Record<'ctrlKey' | 'metaKey' | 'shiftKey' | 'altKey', boolean>> = {}) => ({ key, ctrlKey: false, metaKey: false, shiftKey: false, altKey: false, ...held });

describe('chosen keys', () => {
  it('come back from their text', () => {
    for (const keys of [{ key: 'k', mod: true }, { key: '+', mod: true, shift: true }, { key: '/' }, { key: 'F5', shift: true }, { key: 'mod' }]) {
      expect(textToKeys(keysToText(keys))).toEqual(keys);
    }
    expect(textToKeys('')).toBeNull();
  });

  it('are keys that nobody types with', () => {
    expect(keysOfPress(press('J', { ctrlKey: true, shiftKey: true }), false)).toEqual({ key: 'j', mod: true, shift: true });
    expect(keysOfPress(press('j', { metaKey: true }), true)).toEqual({ key: 'j', mod: true });
    expect(keysOfPress(press('?', { shiftKey: true }), false)).toEqual({ key: '?' });
    expect(keysOfPress(press('F6'), false)).toEqual({ key: 'F6' });
    for (const plain of [press('j'), press('Control', { ctrlKey: true }), press('Enter'), press('7'), press('Tab', { ctrlKey: true }), press('j', { ctrlKey: true, altKey: true })]) expect(keysOfPress(plain, false)).toBeNull();
  });

  it('take the place of an action’s own, or take them away', () => {
    const actions = new ActionRegistry([
      { id: 'a', label: 'A', keys: { key: 'k', mod: true }, perform: () => undefined },
      { id: 'b', label: 'B', keys: { key: 'Escape', whileTyping: true }, perform: () => undefined },
    ]);
    actions.choose({ a: 'mod+shift+x', b: null });
    expect(actions.forPress(press('k', { ctrlKey: true }), false)).toBeNull();
    expect(actions.forPress(press('X', { ctrlKey: true, shiftKey: true }), true)?.id).toBe('a');
    expect(actions.all().map(({ keys }) => keys)).toEqual([{ key: 'x', mod: true, shift: true }, undefined]);
    expect(actions.withKeys({ key: 'x', mod: true, shift: true })?.id).toBe('a');
    actions.choose({});
    expect(actions.forPress(press('k', { ctrlKey: true }), false)?.id).toBe('a');
  });
});
