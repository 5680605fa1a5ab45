/** The entry: theme, connection, then the window. */
import './validators.ts';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { listenForShortcuts } from './actions/shortcuts.ts';
import { App } from './App.tsx';
import { host } from './connection/session.ts';
import { transportOfThisWindow } from './connection/transport.ts';
import { addWhatIsMissing } from './olderBrowsers.ts';
import { joinDesktop } from './shell/desktop.ts';
import { applyRememberedTheme } from './theme.ts';
import './styles/index.css';

addWhatIsMissing();
applyRememberedTheme();
listenForShortcuts();
host.start(transportOfThisWindow());
if (window.longleaf) joinDesktop(window.longleaf);

const root = document.getElementById('root');
if (!root) throw new Error('The page has no root element.');
createRoot(root).render(
  <StrictMode>
    <App />
  </StrictMode>,
);
