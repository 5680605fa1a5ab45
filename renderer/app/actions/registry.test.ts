import { describe, expect, it, vi } from 'vitest';
import { type KeyPress, matches, writeKeys } from './keys.ts';
import { type Action, ActionRegistry } from './registry.ts';

const press = (key: string, held: Partial<KeyPress> = {}): KeyPress => ({ key, ctrlKey: false, metaKey: false, shiftKey: false, altKey: false, ...held });

function registry(...extra: Action[]) {
  const perform = vi.fn();
  return {
    perform,
    actions: new ActionRegistry([
      { id: 'chat.new', label: 'New chat', keys: { key: 'n', mod: true }, perform },
      { id: 'chat.stop', label: 'Stop answering', keywords: ['cancel'], keys: { key: 'Escape', whileTyping: true }, isEnabled: () => false, perform },
      { id: 'composer.focus', label: 'Write a question', keys: { key: '/' }, perform },
      ...extra,
    ]),
  };
}

describe('ActionRegistry', () => {
  it('finds the enabled action of a key press', () => {
    const { actions } = registry();
    expect(actions.forPress(press('N', { ctrlKey: true }), true)?.id).toBe('chat.new');
    expect(actions.forPress(press('n', { ctrlKey: true, shiftKey: true }), false)).toBeNull();
    expect(actions.forPress(press('Escape'), false)).toBeNull();
  });

  it('leaves plain keys to the text field that has the focus', () => {
    const { actions } = registry();
    expect(actions.forPress(press('/'), true)).toBeNull();
    expect(actions.forPress(press('/', { shiftKey: true }), false)?.id).toBe('composer.focus');
  });

  it('does not perform what is not enabled', () => {
    const { actions, perform } = registry();
    actions.perform('chat.stop');
    expect(perform).not.toHaveBeenCalled();
    actions.perform('chat.new');
    expect(perform).toHaveBeenCalledOnce();
  });

  it('searches labels and keywords, labels that begin with the query first', () => {
    const { actions } = registry({ id: 'sidebar', label: 'Show the new list', perform: () => undefined });
    expect(actions.search('new').map(({ id }) => id)).toEqual(['chat.new', 'sidebar']);
    expect(actions.search('cancel')).toEqual([]);
    expect(actions.search('')).toHaveLength(3);
  });

  it('refuses two actions of one name', () => {
    expect(() => registry({ id: 'chat.new', label: 'Again', perform: () => undefined })).toThrow('chat.new');
  });
});

describe('keys', () => {
  it('uses ⌘ on a Mac and Ctrl elsewhere', () => {
    expect(matches({ key: 'k', mod: true }, press('k', { metaKey: true }), false, true)).toBe(true);
    expect(matches({ key: 'k', mod: true }, press('k', { ctrlKey: true }), false, true)).toBe(false);
    expect(writeKeys({ key: 'k', mod: true, shift: true }, true)).toBe('⌘⇧K');
    expect(writeKeys({ key: 'k', mod: true, shift: true }, false)).toBe('Ctrl+Shift+K');
  });
});
