/// <reference types="vite/client" />
import type { ShellBridge } from '../host/contract/shell.ts';

declare global {
  interface Window {
    /** Put there by Electron's preload script; absent in a browser. */
    readonly longleaf?: ShellBridge;
  }
}
