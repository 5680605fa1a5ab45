/**
 * The application menu. What belongs to the interface is named here with the shortcut by which the interface knows
 * it: choosing the item types that shortcut, so that each command exists once.
 */
import { app, Menu, type MenuItemConstructorOptions } from 'electron';
import { getMainWindow } from './windows.ts';

type Modifier = 'control' | 'meta' | 'shift' | 'alt';

interface InterfaceCommand {
  label: string;
  /** The key, together with Ctrl (Command on a Mac). */
  key: string;
  shift?: boolean;
}

/** The shortcuts of renderer/app/actions/actions.ts. */
const commands = {
  newChat: { label: 'New chat', key: 'N' },
  attach: { label: 'Attach documents…', key: 'O' },
  settings: { label: 'Settings…', key: ',' },
  palette: { label: 'Command palette…', key: 'K' },
  sidebar: { label: 'Show or hide the sidebar', key: 'B' },
  theme: { label: 'Switch between light and dark', key: 'L', shift: true },
} satisfies Record<string, InterfaceCommand>;

const isMac = process.platform === 'darwin';
const separator: MenuItemConstructorOptions = { type: 'separator' };

export function installMenu(): void {
  const template: MenuItemConstructorOptions[] = [
    ...(isMac ? [applicationMenu()] : []),
    { label: '&File', submenu: fileItems() },
    { role: 'editMenu' },
    { label: '&View', submenu: viewItems() },
    { role: 'windowMenu' },
    ...(isMac ? [] : [{ role: 'help', submenu: [{ role: 'about' }] } satisfies MenuItemConstructorOptions]),
  ];
  Menu.setApplicationMenu(Menu.buildFromTemplate(template));
}

function applicationMenu(): MenuItemConstructorOptions {
  return {
    label: app.name,
    submenu: [
      { role: 'about' },
      separator,
      interfaceItem(commands.settings),
      separator,
      { role: 'services' },
      separator,
      { role: 'hide' },
      { role: 'hideOthers' },
      { role: 'unhide' },
      separator,
      { role: 'quit' },
    ],
  };
}

function fileItems(): MenuItemConstructorOptions[] {
  const items = [interfaceItem(commands.newChat), interfaceItem(commands.attach), separator];
  return isMac ? [...items, { role: 'close' }] : [...items, interfaceItem(commands.settings), separator, { role: 'quit' }];
}

function viewItems(): MenuItemConstructorOptions[] {
  return [
    interfaceItem(commands.palette),
    interfaceItem(commands.sidebar),
    interfaceItem(commands.theme),
    separator,
    { role: 'resetZoom' },
    { role: 'zoomIn' },
    { role: 'zoomOut' },
    { role: 'togglefullscreen' },
    separator,
    { role: 'reload' },
    { role: 'toggleDevTools' },
  ];
}

function interfaceItem(command: InterfaceCommand): MenuItemConstructorOptions {
  return {
    label: command.label,
    accelerator: `CmdOrCtrl+${command.shift ? 'Shift+' : ''}${command.key}`,
    // The interface listens for the keys itself: registering them here would run the command twice.
    registerAccelerator: false,
    click: () => typeShortcut(command),
  };
}

function typeShortcut({ key, shift }: InterfaceCommand): void {
  const modifiers: Modifier[] = [isMac ? 'meta' : 'control', ...(shift ? (['shift'] as const) : [])];
  const contents = getMainWindow()?.webContents;
  contents?.sendInputEvent({ type: 'keyDown', keyCode: key, modifiers });
  contents?.sendInputEvent({ type: 'keyUp', keyCode: key, modifiers });
}
