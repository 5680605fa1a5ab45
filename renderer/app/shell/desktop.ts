/** The window's part in the desktop: its commands in the application menu, and what is opened from outside. */
import type { Opened, ShellBridge } from '../../../host/contract/shell.ts';
import { attachFiles } from '../../features/chat/attach.ts';
import { chatStore } from '../../features/chat/store.ts';
import { modelsStore } from '../../features/models/store.ts';
import { readingsStore } from '../../features/readings/store.ts';
import { settingsStore } from '../../features/settings/store.ts';
import { actions } from '../actions/actions.ts';
import { attempt } from '../failures.ts';
import { isModelFile } from '../files.ts';
import { language } from '../language.ts';
import { viewStore } from '../view.ts';
import { menuCommands } from './menuCommands.ts';

/** Typing changes stores with every key; a menu is opened seconds later. */
const publishAfterMs = 250;

export function joinDesktop(bridge: ShellBridge): void {
  bridge.onCommand((id) => actions.perform(id));
  bridge.onOpened((opened) => attempt(open(opened)));
  publishMenu(bridge);
}

function publishMenu(bridge: ShellBridge): void {
  let shown = '';
  // The window opens first: until then the menu has what Electron does itself.
  let timer: ReturnType<typeof setTimeout> | undefined = setTimeout(() => publish(), publishAfterMs);
  const publish = () => {
    timer = undefined;
    const commands = menuCommands(actions.all());
    const text = JSON.stringify(commands);
    if (text !== shown) bridge.showMenu({ language, commands });
    shown = text;
  };
  for (const store of [viewStore, chatStore, readingsStore, settingsStore]) {
    store.subscribe(() => {
      timer ??= setTimeout(publish, publishAfterMs);
    });
  }
}

async function open(opened: Opened): Promise<void> {
  const view = viewStore.getState();
  if (opened.kind === 'screen') return view.show(opened.screen);
  if (opened.kind === 'conversation') {
    view.show('chat');
    return chatStore.getState().open(opened.conversationId);
  }
  const models = opened.files.filter(({ name }) => isModelFile(name));
  const documents = opened.files.filter(({ name }) => !isModelFile(name));
  view.show(models.length > 0 ? 'models' : 'chat');
  for (const model of models) await modelsStore.getState().importModel(model);
  if (documents.length > 0) await attachFiles(documents);
}
