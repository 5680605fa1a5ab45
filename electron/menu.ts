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

const newConversation: InterfaceCommand = { label: 'New conversation', key: 'N' };
const settings: InterfaceCommand = { label: 'Settings…', key: ',' };

const isMac = process.platform === 'darwin';
const separator: MenuItemConstructorOptions = { type: 'separator' };

export function installMenu(): void {
  const template: MenuItemConstructorOptions[] = [
    ...(isMac ? [applicationMenu()] : []),
    { label: '&File', submenu: fileItems() },
    { role: 'editMenu' },
    { role: 'viewMenu' },
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
      interfaceItem(settings),
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
  if (isMac) return [interfaceItem(newConversation), separator, { role: 'close' }];
  return [interfaceItem(newConversation), separator, interfaceItem(settings), separator, { role: 'quit' }];
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
