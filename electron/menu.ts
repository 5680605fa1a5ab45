/**
 * The application menu. The commands are the interface's own, which publishes them with the keys that the person chose;
 * what Electron does itself (editing, zoom, windows) stands beside them.
 */
import { app, Menu, type MenuItemConstructorOptions } from 'electron';
import type { ShellCommand } from '../host/contract/shell.ts';

export interface MenuActions {
  /** Does the interface's command with this id. */
  perform(id: string): void;
}

const isMac = process.platform === 'darwin';
const separator: MenuItemConstructorOptions = { type: 'separator' };

export function installMenu(commands: readonly ShellCommand[], actions: MenuActions): void {
  const items = (menu: ShellCommand['menu']) => commands.filter((command) => command.menu === menu).map((command) => itemOf(command, actions));
  const template: MenuItemConstructorOptions[] = [
    ...(isMac ? [{ role: 'appMenu' } satisfies MenuItemConstructorOptions] : []),
    { label: '&File', submenu: [...items('file'), separator, { role: isMac ? 'close' : 'quit' }] },
    { role: 'editMenu' },
    { label: '&Chat', submenu: items('chat'), visible: items('chat').length > 0 },
    { label: '&View', submenu: [...items('view'), separator, ...windowItems] },
    { role: 'windowMenu' },
    { role: 'help', submenu: [...items('help'), ...(isMac ? [] : [separator, { role: 'about' } satisfies MenuItemConstructorOptions])] },
  ];
  Menu.setApplicationMenu(Menu.buildFromTemplate(template));
}

const windowItems: MenuItemConstructorOptions[] = [
  { role: 'resetZoom' },
  { role: 'zoomIn' },
  { role: 'zoomOut' },
  { role: 'togglefullscreen' },
  separator,
  { role: 'reload' },
  // Whoever looks for the cause of a fault finds it in a checkout; in what people get it would only be in the way.
  { role: 'toggleDevTools', visible: !app.isPackaged },
];

function itemOf({ id, label, accelerator, enabled }: ShellCommand, actions: MenuActions): MenuItemConstructorOptions {
  return {
    id,
    label: label.replaceAll('&', '&&'),
    enabled,
    ...(accelerator !== null && isAccelerator(accelerator) && { accelerator }),
    // The interface listens for the keys itself: registering them here would run the command twice.
    registerAccelerator: false,
    click: () => actions.perform(id),
  };
}

/** Electron throws at an accelerator that it cannot read. */
function isAccelerator(text: string): boolean {
  return /^((CmdOrCtrl|Ctrl|Alt|Shift|Cmd)\+)*([A-Z0-9]|F\d{1,2}|[,./;'[\]\\=-]|Esc|Enter|Tab|Space|Backspace|Delete|Up|Down|Left|Right|Home|End|PageUp|PageDown)$/.test(text);
}
