/** The entry: theme, connection, then the window. */
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { config } from 'zod';
import { App } from './App.tsx';
import { host } from './connection/session.ts';
import { transportOfThisWindow } from './connection/transport.ts';
import { applyRememberedTheme } from './theme.ts';
import './styles/index.css';

// Compiled validators need `eval`, which the content security policy refuses.
config({ jitless: true });
applyRememberedTheme();
host.start(transportOfThisWindow());

const root = document.getElementById('root');
if (!root) throw new Error('The page has no root element.');
createRoot(root).render(
  <StrictMode>
    <App />
  </StrictMode>,
);
