/** Commands as data: shortcuts, palette and menus all read this list. */
import { keysToText, textToKeys } from './chosenKeys.ts';
import { type KeyPress, type Keys, matches, writeKeys } from './keys.ts';

export interface Action {
  id: string;
  label: string;
  /** Other words a person may look for. */
  keywords?: readonly string[];
  keys?: Keys;
  /** Left out: always. */
  isEnabled?(): boolean;
  perform(): void;
}

export class ActionRegistry {
  readonly #actions = new Map<string, Action>();
  /** By id; null: none. */
  #chosen: Readonly<Record<string, string | null>> = {};

  constructor(actions: readonly Action[]) {
    for (const action of actions) {
      if (this.#actions.has(action.id)) throw new Error(`Two actions are called ${action.id}.`);
      this.#actions.set(action.id, action);
    }
  }

  /** Keys that the person chose in place of an action's own. */
  choose(chosen: Readonly<Record<string, string | null>>): void {
    this.#chosen = chosen;
  }

  /** With the keys they have now. */
  all(): Action[] {
    return [...this.#actions.values()].map((action) => this.#withChosenKeys(action));
  }

  enabled(): Action[] {
    return this.all().filter((action) => action.isEnabled?.() ?? true);
  }

  /** The enabled action whose keys were pressed. */
  forPress(press: KeyPress, typing: boolean): Action | null {
    return this.enabled().find((action) => action.keys && matches(action.keys, press, typing)) ?? null;
  }

  perform(id: string): void {
    const action = this.#actions.get(id);
    if (action && (action.isEnabled?.() ?? true)) action.perform();
  }

  /** The keys of an action, for a tooltip or a menu. */
  keysOf(id: string): string | undefined {
    const action = this.#actions.get(id);
    const keys = action && this.#withChosenKeys(action).keys;
    return keys && writeKeys(keys);
  }

  /** The action that has these keys, enabled or not. */
  withKeys(keys: Keys): Action | null {
    return this.all().find((action) => action.keys && keysToText(action.keys) === keysToText(keys)) ?? null;
  }

  #withChosenKeys(action: Action): Action {
    const chosen = this.#chosen[action.id];
    if (chosen === undefined) return action;
    const { keys: _own, ...rest } = action;
    const keys = chosen === null ? null : textToKeys(chosen);
    return keys ? { ...rest, keys } : rest;
  }

  /** Actions whose words all occur; those whose label begins with the query come first. */
  search(query: string): Action[] {
    const words = query.toLowerCase().split(/\s+/).filter(Boolean);
    const found = this.enabled().filter((action) => {
      const text = [action.label, ...(action.keywords ?? [])].join(' ').toLowerCase();
      return words.every((word) => text.includes(word));
    });
    const rank = (action: Action) => (action.label.toLowerCase().startsWith(words[0] ?? '') ? 0 : 1);
    return found.sort((a, b) => rank(a) - rank(b));
  }
}
