/** The commands of the window as the application menu shows them. */
import type { ShellCommand } from '../../../host/contract/shell.ts';
import type { Keys } from '../actions/keys.ts';
import type { Action } from '../actions/registry.ts';

/** Where commands stand, by the first word of their id; whatever is not here changes what is seen. */
const menus: Record<string, ShellCommand['menu']> = {
  chat: 'chat',
  composer: 'chat',
  context: 'chat',
  reading: 'chat',
  documents: 'file',
  settings: 'file',
  models: 'file',
  worker: 'help',
  help: 'help',
};

/** Two that people look for in the File menu. */
const ownPlaces: Record<string, ShellCommand['menu']> = { 'chat.new': 'file' };

export function menuCommands(actions: readonly Action[]): ShellCommand[] {
  return actions.map(({ id, label, keys, isEnabled }) => ({
    id,
    label,
    menu: ownPlaces[id] ?? menus[id.split('.')[0] ?? ''] ?? 'view',
    accelerator: keys ? accelerator(keys) : null,
    enabled: isEnabled?.() ?? true,
  }));
}

/** As Electron writes keys. */
function accelerator({ key, mod, shift }: Keys): string {
  const name = { Escape: 'Esc', ArrowUp: 'Up', ArrowDown: 'Down', ArrowLeft: 'Left', ArrowRight: 'Right' }[key] ?? (key.length === 1 ? key.toUpperCase() : key);
  return [mod && 'CmdOrCtrl', shift && 'Shift', name].filter(Boolean).join('+');
}
