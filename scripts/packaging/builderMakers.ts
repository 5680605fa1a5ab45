/**
 * Installers that electron-builder makes of what Forge has packaged. electron-builder's own packages for this
 * (`electron-forge-maker-appimage` and its like) are functions, as Forge 5 wanted them; since then makers are classes.
 */
import { join } from 'node:path';
import { MakerBase, type MakerOptions } from '@electron-forge/maker-base';
import type { ForgePlatform } from '@electron-forge/shared-types';
import type { Configuration } from 'electron-builder';
import { rootFolder } from '../paths.mjs';

abstract class BuilderMaker extends MakerBase<Configuration> {
  /** The system whose installers it makes; they are made on it. */
  abstract readonly system: ForgePlatform;

  override get defaultPlatforms(): ForgePlatform[] {
    return [this.system];
  }

  override isSupportedOnCurrentPlatform(): boolean {
    return process.platform === this.system;
  }

  /** The files it made of a packaged app. */
  override async make({ dir, makeDir, targetArch }: MakerOptions): Promise<string[]> {
    const { Arch, build, Platform } = await import('electron-builder');
    return build({
      prepackaged: dir,
      projectDir: rootFolder,
      targets: Platform.fromString(this.system).createTarget([this.name], Arch[targetArch as keyof typeof Arch]),
      config: { ...this.config, directories: { output: join(makeDir, this.name, targetArch) } },
    });
  }
}

export class AppImageMaker extends BuilderMaker {
  override readonly name = 'AppImage';
  override readonly system = 'linux';
}

export class NsisMaker extends BuilderMaker {
  override readonly name = 'nsis';
  override readonly system = 'win32';
}

export class DmgMaker extends BuilderMaker {
  override readonly name = 'dmg';
  override readonly system = 'darwin';
}
