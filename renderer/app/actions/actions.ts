/** Every command of the window. */
import { attempt } from '../failures.ts';
import { attachWithDialog } from '../../features/chat/attach.ts';
import { exportChats, importChats } from '../../features/chat/chatFiles.ts';
import { chatStore } from '../../features/chat/store.ts';
import { chatStrings } from '../../features/chat/strings.ts';
import { streamingAnswerOf } from '../../features/chat/thread.ts';
import { readChat } from '../../features/readings/readChat.ts';
import { readingsStrings } from '../../features/readings/strings.ts';
import { searchStrings } from '../../features/search/strings.ts';
import { settingsStore } from '../../features/settings/store.ts';
import { strings } from '../strings.ts';
import { currentTheme } from '../theme.ts';
import { viewStore } from '../view.ts';
import { ActionRegistry } from './registry.ts';

const view = () => viewStore.getState();
const chat = () => chatStore.getState();

/** A browser keeps Ctrl+N to itself. */
const inBrowser = typeof window !== 'undefined' && !window.longleaf;

export const actions = new ActionRegistry([
  {
    id: 'palette.open',
    label: strings.actions.palette,
    keys: { key: 'k', mod: true },
    perform: () => view().setPaletteOpen(true),
  },
  {
    id: 'chat.new',
    label: strings.actions.newChat,
    keywords: ['conversation', 'start'],
    keys: inBrowser ? { key: 'o', mod: true, shift: true } : { key: 'n', mod: true },
    perform: () => {
      chat().open(null);
      view().focusComposer();
    },
  },
  {
    id: 'search.open',
    label: searchStrings.title,
    keywords: ['find', 'history', 'text'],
    keys: { key: 'f', mod: true, shift: true },
    perform: () => view().setSearchOpen(true),
  },
  {
    id: 'composer.focus',
    label: strings.actions.focusComposer,
    keywords: ['composer', 'ask', 'question'],
    keys: { key: '/' },
    perform: () => view().focusComposer(),
  },
  {
    id: 'documents.attach',
    label: strings.actions.attach,
    keywords: ['file', 'open', 'document', 'upload'],
    keys: { key: 'o', mod: true },
    perform: () => {
      view().show('chat');
      attempt(attachWithDialog());
    },
  },
  {
    id: 'documents.attachFolder',
    label: strings.actions.attachFolder,
    keywords: ['folder', 'directory', 'code', 'project', 'document'],
    perform: () => {
      view().show('chat');
      attempt(attachWithDialog('folder'));
    },
  },
  {
    id: 'chat.stop',
    label: strings.actions.stop,
    keywords: ['cancel'],
    keys: { key: 'Escape', whileTyping: true },
    isEnabled: () => {
      const { activeId, threads } = chat();
      return view().screen === 'chat' && activeId !== null && streamingAnswerOf(threads[activeId]) !== null;
    },
    perform: () => attempt(chat().stop()),
  },
  {
    id: 'context.table',
    label: strings.actions.contextTable,
    keywords: ['meter', 'tokens', 'window'],
    isEnabled: () => view().screen === 'chat',
    perform: () => view().setMeterOpen(true),
  },
  {
    id: 'reading.start',
    label: readingsStrings.actions.start,
    keywords: ['document', 'ahead', 'memory', 'keep'],
    isEnabled: readChat.canStart,
    perform: readChat.start,
  },
  {
    id: 'reading.pause',
    label: readingsStrings.actions.pause,
    keywords: ['stop', 'document'],
    isEnabled: readChat.canPause,
    perform: readChat.pause,
  },
  {
    id: 'reading.resume',
    label: readingsStrings.actions.resume,
    keywords: ['continue', 'go on', 'document'],
    isEnabled: readChat.canResume,
    perform: readChat.resume,
  },
  {
    id: 'chats.import',
    label: chatStrings.files.importAction,
    keywords: ['json', 'restore'],
    perform: () => attempt(importChats()),
  },
  {
    id: 'chats.export',
    label: chatStrings.files.exportAllAction,
    keywords: ['json', 'backup', 'save'],
    perform: () => attempt(exportChats(null, 'json')),
  },
  {
    id: 'sidebar.toggle',
    label: strings.actions.toggleSidebar,
    keys: { key: 'b', mod: true },
    perform: () => view().setSidebarOpen(!view().sidebarOpen),
  },
  {
    id: 'theme.toggle',
    label: strings.actions.toggleTheme,
    keywords: ['appearance', 'colours', 'night'],
    keys: { key: 'l', mod: true, shift: true },
    perform: () => attempt(settingsStore.getState().update({ theme: currentTheme() === 'dark' ? 'light' : 'dark' })),
  },
  {
    id: 'memories.open',
    label: strings.actions.openMemories,
    keywords: ['read', 'kept', 'disk', 'space', 'quota'],
    perform: () => view().show('memories'),
  },
  {
    id: 'models.open',
    label: strings.actions.openModels,
    keywords: ['download', 'import', 'gguf'],
    perform: () => view().show('models'),
  },
  {
    id: 'storage.open',
    label: strings.actions.openStorage,
    keywords: ['disk', 'space', 'bytes', 'limits'],
    perform: () => view().show('storage'),
  },
  {
    id: 'settings.open',
    label: strings.actions.openSettings,
    keywords: ['preferences', 'sampling', 'machine', 'offline'],
    keys: { key: ',', mod: true },
    perform: () => view().show('settings'),
  },
  {
    id: 'worker.restart',
    label: strings.actions.restartWorker,
    keywords: ['engine', 'adapter'],
    perform: () => attempt(settingsStore.getState().restartWorker()),
  },
]);

settingsStore.subscribe(({ settings: { shortcuts } }) => actions.choose(shortcuts));
