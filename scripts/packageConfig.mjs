/** What electron-builder's installers are told, and how large each part of a packaged Longleaf may be. */
import { join } from 'node:path';
import { rootFolder } from './paths.mjs';

export const packagingFolder = join(rootFolder, 'scripts', 'packaging');

/**
 * @param {string} electronVersion
 * @returns {import('electron-builder').Configuration}
 */
export function installerConfiguration(electronVersion) {
  return {
    appId: 'org.longleaf.app',
    productName: 'Longleaf',
    electronVersion,
    protocols: [{ name: 'Longleaf', schemes: ['longleaf'] }],
    fileAssociations: [{ ext: 'gguf', name: 'GGUF model', description: 'Language model', mimeType: 'application/x-gguf', role: 'Viewer' }],
    linux: { category: 'Office', executableName: 'longleaf', maintainer: 'Longleaf', syncDesktopName: true, icon: join(rootFolder, 'assets', 'icons', 'longleaf.png') },
    win: { icon: join(packagingFolder, 'longleaf.ico') },
    nsis: { oneClick: false, perMachine: false, allowToChangeInstallationDirectory: true },
    mac: { category: 'public.app-category.productivity', icon: join(packagingFolder, 'longleaf.icns') },
    publish: null,
  };
}

/** How many megabytes (10^6 bytes) each part may have. Electron and Node are as they come. */
export const budgetsMegabytes = {
  Electron: 330,
  Node: 160,
  'Dawn (GPU)': 60,
  'host and GPU worker': 20,
  // 4 MB of it draw PDFs: pdf.js, its worker, character maps, fonts and decoders.
  interface: 12,
  'interface for browsers': 12,
  assets: 4,
};
