import { expect, it } from 'vitest';
import { shellMenu } from '../../../host/contract/shell.ts';
import { actions } from '../actions/actions.ts';
import { menuCommands } from './menuCommands.ts';

it('shows every command of the window, in a form that the desktop takes', () => {
  const { commands: shown } = shellMenu.parse({ language: 'en', commands: menuCommands(actions.all()) });
  expect(shown.map(({ id }) => id)).toEqual(actions.all().map(({ id }) => id));
  expect(shown.find(({ id }) => id === 'documents.attach')).toMatchObject({ menu: 'file', accelerator: 'CmdOrCtrl+O', enabled: true });
  expect(shown.find(({ id }) => id === 'theme.toggle')).toMatchObject({ menu: 'view', accelerator: 'CmdOrCtrl+Shift+L' });
  // Nothing is being answered.
  expect(shown.find(({ id }) => id === 'chat.stop')).toMatchObject({ menu: 'chat', accelerator: 'Esc', enabled: false });
  expect(shown.find(({ id }) => id === 'worker.restart')).toMatchObject({ menu: 'help', accelerator: null });
});
