/** What a packaged Longleaf is: electron-builder's configuration, and how large each part may be. */
import { join } from 'node:path';
import { rootFolder } from './paths.mjs';

/**
 * Fuses of the shipped executable. `forTests` leaves one open: Playwright reaches the main process by `--inspect`.
 * An Electron before 29 has one fuse less.
 * @param {boolean} forTests
 * @param {string} electronVersion
 * @returns {import('app-builder-lib').FuseOptionsV1}
 */
export function fuses(forTests, electronVersion) {
  return {
    runAsNode: false,
    enableCookieEncryption: true,
    enableNodeOptionsEnvironmentVariable: false,
    enableNodeCliInspectArguments: forTests,
    enableEmbeddedAsarIntegrityValidation: true,
    onlyLoadAppFromAsar: true,
    loadBrowserProcessSpecificV8Snapshot: false,
    ...(Number(electronVersion.split('.')[0]) >= 29 && { grantFileProtocolExtraPrivileges: false }),
  };
}

/**
 * @param {{appFolder: string, resourcesFolder: string, outputFolder: string, electronVersion: string, electronFolder: string, forTests: boolean}} choice
 * @returns {import('electron-builder').Configuration}
 */
export function builderConfiguration({ appFolder, resourcesFolder, outputFolder, electronVersion, electronFolder, forTests }) {
  return {
    appId: 'org.longleaf.app',
    productName: 'Longleaf',
    directories: { app: appFolder, output: outputFolder, buildResources: join(rootFolder, 'assets', 'icons') },
    electronVersion,
    electronDist: electronFolder,
    // Nothing native lies inside the archive.
    npmRebuild: false,
    nodeGypRebuild: false,
    asar: true,
    files: ['**/*', '!node_modules'],
    extraResources: [{ from: resourcesFolder, to: '.' }],
    electronFuses: fuses(forTests, electronVersion),
    electronLanguages: ['en-US'],
    icon: join(rootFolder, 'assets', 'icons', 'longleaf.png'),
    protocols: [{ name: 'Longleaf', schemes: ['longleaf'] }],
    fileAssociations: [{ ext: 'gguf', name: 'GGUF model', description: 'Language model', mimeType: 'application/x-gguf', role: 'Viewer' }],
    linux: { target: ['AppImage', 'deb'], category: 'Office', executableName: 'longleaf', maintainer: 'Longleaf', syncDesktopName: true },
    win: { target: ['nsis'] },
    nsis: { oneClick: false, perMachine: false, allowToChangeInstallationDirectory: true },
    mac: { target: ['dmg'], category: 'public.app-category.productivity', hardenedRuntime: true },
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
