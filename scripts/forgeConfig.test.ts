/** What Forge is told; what comes of it is looked at in the packaged app (e2e/packaged.electron.spec.ts). */
import { existsSync } from 'node:fs';
import { MakerBase } from '@electron-forge/maker-base';
import { FusesPlugin } from '@electron-forge/plugin-fuses';
import { FuseV1Options } from '@electron/fuses';
import { expect, test } from 'vitest';
import config from '../forge.config.ts';

test('each system has its installers', () => {
  const makers = (config.makers ?? []).filter((maker) => maker instanceof MakerBase);
  const names = (system: 'linux' | 'win32' | 'darwin') => makers.filter(({ platforms }) => platforms.includes(system)).map(({ name }) => name);
  expect({ linux: names('linux'), win32: names('win32'), darwin: names('darwin') }).toEqual({ linux: ['AppImage', 'deb'], win32: ['nsis'], darwin: ['dmg'] });
});

test('no fuse is open in what people get', () => {
  const fuses = (config.plugins ?? []).find((plugin) => plugin instanceof FusesPlugin);
  expect(fuses?.fusesConfig).toMatchObject({
    [FuseV1Options.RunAsNode]: false,
    [FuseV1Options.EnableNodeOptionsEnvironmentVariable]: false,
    [FuseV1Options.EnableNodeCliInspectArguments]: false,
    [FuseV1Options.OnlyLoadAppFromAsar]: true,
  });
});

test('the archive gets what runs in Electron and nothing else', () => {
  const { ignore } = config.packagerConfig ?? {};
  if (typeof ignore !== 'function') throw new Error('Nothing says what is archived.');
  const kept = ['', '/package.json', '/dist', '/dist/electron/main.cjs', '/dist/renderer/index.html', '/assets/icons/longleaf.png'];
  const left = ['/dist/host.js', '/dist/electron/main.cjs.map', '/node_modules/react', '/assets/sample', '/out', '/.git', '/forge.config.ts', '/distant'];
  expect(kept.filter((path) => ignore(path))).toEqual([]);
  expect(left.filter((path) => !ignore(path))).toEqual([]);
});

test('what a .gguf is, and its icons, come along', () => {
  const { icon, extraResource } = config.packagerConfig ?? {};
  expect(['.ico', '.icns'].filter((extension) => !existsSync(`${String(icon)}${extension}`))).toEqual([]);
  if (process.platform === 'linux') expect(extraResource).toContainEqual(expect.stringMatching(/gguf\.xml$/));
});
