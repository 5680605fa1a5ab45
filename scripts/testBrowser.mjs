/** A Chromium for the tests: the one that is installed, else the headless one of an npm package, unpacked without root. */
import { existsSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { Explained } from './say.mjs';
import { unpackSparticuz } from './sparticuz.mjs';

const commands = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable', 'chrome', 'msedge', 'microsoft-edge'];
const elsewhere = [
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  'C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe',
  'C:\\Program Files (x86)\\Microsoft\\Edge\\Application\\msedge.exe',
];

/**
 * The executable, and the environment it needs.
 * @returns {Promise<{executable: string, environment: Record<string, string>}>}
 */
export async function findTestBrowser() {
  const executable = installedBrowser();
  if (executable) return { executable, environment: {} };
  const folder = await unpackSparticuz('chromium.br');
  const libraries = await unpackSparticuz('al2023.tar.br');
  const fonts = await unpackSparticuz('fonts.tar.br');
  if (!folder || !libraries || !fonts) throw new Explained('there is no Chromium on this machine, and none on npm for it.');
  return {
    executable: join(folder, 'chromium'),
    environment: {
      LD_LIBRARY_PATH: [join(libraries, 'lib'), process.env.LD_LIBRARY_PATH].filter(Boolean).join(':'),
      ...(existsSync('/usr/share/fonts') ? {} : fontEnvironment(fonts)),
    },
  };
}

function installedBrowser() {
  if (process.env.LONGLEAF_TEST_CHROMIUM === 'npm') return undefined;
  const folders = (process.env.PATH ?? '').split(delimiter).filter(Boolean);
  const candidates = commands.flatMap((command) => folders.map((folder) => join(folder, command)));
  return [...candidates, ...elsewhere].find((candidate) => existsSync(candidate));
}

/** @param {string} folder holds fonts/ */
function fontEnvironment(folder) {
  const file = join(folder, 'longleaf-fonts.conf');
  const content = `<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig><dir>${join(folder, 'fonts')}</dir><cachedir>${join(folder, 'cache')}</cachedir></fontconfig>
`;
  writeFileSync(file, content);
  return { FONTCONFIG_FILE: file };
}
