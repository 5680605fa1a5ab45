/**
 * Electron Forge's configuration: what is packaged, its fuses, and the installers of each system. `npm run package` and
 * `npm run make` go through it (scripts/package.mjs). Electron is an unpacked one that is already here.
 */
import { join } from 'node:path';
import { MakerDeb } from '@electron-forge/maker-deb';
import { FusesPlugin } from '@electron-forge/plugin-fuses';
import type { ForgeConfig } from '@electron-forge/shared-types';
import { FuseV1Options, FuseVersion } from '@electron/fuses';
import { installerConfiguration, packagingFolder } from './scripts/packageConfig.mjs';
import { AppImageMaker, DmgMaker, NsisMaker } from './scripts/packaging/builderMakers.ts';
import { electronVersion, putElectron, writeEmptyZip } from './scripts/packaging/electronFolder.mjs';
import { stageResources } from './scripts/packaging/resources.mjs';
import { rootFolder } from './scripts/paths.mjs';

/** For the e2e suite: Electron for tests, and Playwright reaches the main process by `--inspect`. */
const forTests = process.env['LONGLEAF_PACKAGE'] === 'test';
const version = electronVersion(forTests);
const stageFolder = join(rootFolder, 'out', forTests ? 'stage-test' : 'stage');
const zipFolder = join(stageFolder, 'zip');
const installers = installerConfiguration(version);
const mimeTypes = ['x-scheme-handler/longleaf', 'application/x-gguf'];

/** The archive holds what runs inside Electron. */
const archived = /^\/(package\.json|dist|dist\/(electron|renderer)(\/.*)?|assets|assets\/icons|assets\/icons\/longleaf\.png)$/;

const config: ForgeConfig = {
  packagerConfig: {
    name: 'Longleaf',
    executableName: process.platform === 'linux' ? 'longleaf' : 'Longleaf',
    appBundleId: 'org.longleaf.app',
    appCategoryType: 'public.app-category.productivity',
    icon: join(packagingFolder, 'longleaf'),
    asar: true,
    // Everything of npm's is in the bundles.
    prune: false,
    ignore: (path: string) => path !== '' && (!archived.test(path) || path.endsWith('.map')),
    extraResource: ['host', 'runtime'].map((name) => join(stageFolder, name)).concat(process.platform === 'linux' ? [join(packagingFolder, 'gguf.xml')] : []),
    electronZipDir: zipFolder,
    protocols: [{ name: 'Longleaf', schemes: ['longleaf'] }],
    extendInfo: {
      CFBundleDocumentTypes: [{ CFBundleTypeName: 'GGUF model', CFBundleTypeExtensions: ['gguf'], CFBundleTypeRole: 'Viewer', LSHandlerRank: 'Default' }],
    },
    ...signing(process.env),
  },
  plugins: [
    new FusesPlugin({
      version: FuseVersion.V1,
      [FuseV1Options.RunAsNode]: false,
      [FuseV1Options.EnableCookieEncryption]: true,
      [FuseV1Options.EnableNodeOptionsEnvironmentVariable]: false,
      [FuseV1Options.EnableNodeCliInspectArguments]: forTests,
      [FuseV1Options.EnableEmbeddedAsarIntegrityValidation]: true,
      [FuseV1Options.OnlyLoadAppFromAsar]: true,
      [FuseV1Options.LoadBrowserProcessSpecificV8Snapshot]: false,
      // An Electron before 29 does not have it.
      ...(Number(version.split('.')[0]) >= 29 && { [FuseV1Options.GrantFileProtocolExtraPrivileges]: false }),
    }),
  ],
  makers: [
    new AppImageMaker(installers),
    new MakerDeb({
      options: {
        name: 'longleaf',
        bin: 'longleaf',
        genericName: 'Reader',
        section: 'text',
        categories: ['Office'],
        icon: join(rootFolder, 'assets', 'icons', 'longleaf.png'),
        mimeType: mimeTypes,
        scripts: { postinst: join(packagingFolder, 'postinst'), prerm: join(packagingFolder, 'prerm') },
      },
    }),
    new NsisMaker(installers),
    new DmgMaker(installers),
  ],
  hooks: {
    // What is packaged names its Electron exactly, and none of what it was bundled from.
    readPackageJson: async (_config, { name, productName, version: appVersion, description, license, main }) => ({
      name,
      productName,
      version: appVersion,
      description,
      license,
      main,
      author: 'Longleaf',
      devDependencies: { electron: version },
    }),
    prePackage: async () => {
      stageResources(stageFolder);
      writeEmptyZip(zipFolder, version);
    },
    packageAfterExtract: async (_config, folder) => putElectron(folder, forTests),
  },
};

/** Certificates are the publisher's: what is in the environment is used. */
function signing(environment: NodeJS.ProcessEnv): Partial<ForgeConfig['packagerConfig']> {
  const { APPLE_ID: appleId, APPLE_APP_SPECIFIC_PASSWORD: appleIdPassword, APPLE_TEAM_ID: teamId } = environment;
  if (!appleId || !appleIdPassword || !teamId) return {};
  return { osxSign: {}, osxNotarize: { appleId, appleIdPassword, teamId } };
}

export default config;
