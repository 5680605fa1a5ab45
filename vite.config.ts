/** Builds the interface for the desktop window and for a browser tab: one bundle, relative paths. */
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import tailwindcss from '@tailwindcss/vite';
import react from '@vitejs/plugin-react';
import { type Plugin, defineConfig } from 'vite';

/** The oldest browser that must work is the Chromium 108 of Electron 22. */
const chrome108 = 108 << 16;

/**
 * sonner writes its styles into the page at start, which a content security policy without
 * 'unsafe-inline' refuses. Its style sheet is bundled instead (styles/index.css).
 */
const toastStylesFromBundle: Plugin = {
  name: 'toast-styles-from-bundle',
  transform(code, id) {
    if (!/sonner\/dist\/index\.mjs/.test(id)) return undefined;
    const insertion = /^function __insertCSS\(code\) \{/m;
    if (!insertion.test(code)) throw new Error('sonner no longer inserts its styles as expected: check the content security policy.');
    return { code: code.replace(insertion, '$& return;'), map: null };
  },
};

/** A decoder for browsers without WebAssembly, and colour profiles, which pdf.js reads only where its worker may fetch. */
const unusedPdfData = /nowasm_fallback|qcms/i;

/** What pdf.js asks for while it draws: character maps, fonts that PDFs do not bring, and decoders of pictures. */
const pdfData: Plugin = {
  name: 'pdf-data',
  generateBundle() {
    const folder = fileURLToPath(new URL('./node_modules/pdfjs-dist/', import.meta.url));
    for (const part of ['cmaps', 'standard_fonts', 'wasm']) {
      for (const name of readdirSync(join(folder, part)).filter((file) => !unusedPdfData.test(file))) {
        this.emitFile({ type: 'asset', fileName: `pdf/${part}/${name}`, source: readFileSync(join(folder, part, name)) });
      }
    }
  },
};

export default defineConfig({
  root: 'renderer',
  base: './',
  // Assets that keep their names: the window's icon.
  publicDir: '../assets/icons',
  plugins: [tailwindcss(), react(), toastStylesFromBundle, pdfData],
  resolve: {
    alias: {
      // The page itself never scrolls, so dialogs need no scroll lock (it would insert a style element).
      'react-remove-scroll': fileURLToPath(new URL('./renderer/ui/noScrollLock.tsx', import.meta.url)),
    },
  },
  css: {
    transformer: 'lightningcss',
    lightningcss: { targets: { chrome: chrome108 } },
  },
  // Modules, so that the highlighting worker fetches a grammar when it needs it.
  worker: { format: 'es' },
  build: {
    outDir: '../dist/renderer',
    emptyOutDir: true,
    target: 'chrome108',
    cssTarget: 'chrome108',
    cssMinify: 'lightningcss',
    // What every chunk needs is asked for with the first of them. No script of Vite's own: engines know the link.
    modulePreload: { polyfill: false },
    // Fonts stay files: the content security policy allows them from 'self' only.
    assetsInlineLimit: 0,
    sourcemap: false,
  },
});
