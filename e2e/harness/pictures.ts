/** Pictures of the screens for docs/screenshots/, taken only when LONGLEAF_SCREENSHOTS=1. */
import { join } from 'node:path';
import { type RunningApp, repositoryFolder } from './runningApp.ts';

const folders = { chromium: 'browser', electron: 'desktop' };
/** The interface is the same in both: a few pictures show that, all of them would only be twice as many. */
const desktopPictures = new Set(['first-run', 'answer', 'document-preview', 'settings']);

/** What a test may wait for that a fast machine never shows. */
export const takesPictures = process.env['LONGLEAF_SCREENSHOTS'] === '1';

export async function takePictures(app: RunningApp, name: string): Promise<void> {
  if (!takesPictures || (app.kind === 'electron' && !desktopPictures.has(name))) return;
  const { page } = app;
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme });
    // Colours change over a moment, and over more than that on a busy machine.
    await page.waitForTimeout(250);
    await page.screenshot({ animations: 'disabled', path: join(repositoryFolder, 'docs', 'screenshots', folders[app.kind], `${name}-${colorScheme}.png`) });
  }
  await page.emulateMedia({ colorScheme: 'light' });
}
