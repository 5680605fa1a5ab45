/**
 * The application menu. The commands are the interface's own, which publishes them with the keys that the person chose;
 * what Electron does itself (editing, zoom, windows) stands beside them.
 */
import { app, Menu, type MenuItemConstructorOptions } from 'electron';
import type { ShellCommand } from '../host/contract/shell.ts';
import type { Words } from './words/english.ts';
import { words } from './words/words.ts';

export interface MenuActions {
  /** Does the interface's command with this id. */
  perform(id: string): void;
}

const isMac = process.platform === 'darwin';
const separator: MenuItemConstructorOptions = { type: 'separator' };

export function installMenu(commands: readonly ShellCommand[], actions: MenuActions): void {
  const items = (menu: ShellCommand['menu']) => commands.filter((command) => command.menu === menu).map((command) => itemOf(command, actions));
  const { menus } = words();
  const template: MenuItemConstructorOptions[] = [
    ...(isMac ? [{ label: app.name, submenu: listed('about', null, 'services', null, 'hide', 'hideOthers', 'unhide', null, 'quit') }] : []),
    { label: menus.file, submenu: [...items('file'), separator, ...listed(isMac ? 'close' : 'quit')] },
    { label: menus.edit, submenu: [...listed('undo', 'redo', null, 'cut', 'copy', 'paste', ...(isMac ? (['pasteAndMatchStyle'] as const) : []), 'delete', null, 'selectAll'), ...(isMac ? speech() : [])] },
    { label: menus.chat, submenu: items('chat'), visible: items('chat').length > 0 },
    {
      label: menus.view,
      submenu: [
        ...items('view'),
        separator,
        ...listed('resetZoom', 'zoomIn', 'zoomOut', 'togglefullscreen', null, 'reload'),
        // Whoever looks for the cause of a fault finds it in a checkout; in what people get it would only be in the way.
        ...(app.isPackaged ? [] : listed('toggleDevTools')),
      ],
    },
    { label: menus.window, role: 'windowMenu', submenu: isMac ? listed('minimize', 'zoom', null, 'front') : listed('minimize', 'zoom', 'close') },
    { label: menus.help, role: 'help', submenu: [...items('help'), ...(isMac ? [] : [separator, ...listed('about')])] },
  ];
  Menu.setApplicationMenu(Menu.buildFromTemplate(template));
}

/** Reading selected text aloud, which a Mac's menu has. */
function speech(): MenuItemConstructorOptions[] {
  return [separator, { label: words().menus.speech, submenu: listed('startSpeaking', 'stopSpeaking') }];
}

/** What Electron does itself, by its names for it; null: a line. */
function listed(...roles: (keyof Words['roles'] | null)[]): MenuItemConstructorOptions[] {
  const named = words().roles;
  return roles.map((role) => (role === null ? separator : { role, label: named[role] }));
}

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
