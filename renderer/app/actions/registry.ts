/** Commands as data: shortcuts, palette and menus all read this list. */
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

  constructor(actions: readonly Action[]) {
    for (const action of actions) {
      if (this.#actions.has(action.id)) throw new Error(`Two actions are called ${action.id}.`);
      this.#actions.set(action.id, action);
    }
  }

  all(): Action[] {
    return [...this.#actions.values()];
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
    const keys = this.#actions.get(id)?.keys;
    return keys && writeKeys(keys);
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
