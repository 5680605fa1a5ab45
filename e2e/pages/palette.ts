/** The command palette, as a person uses it: what is typed is typed once its field is there. */
import { expect, type Page } from '@playwright/test';

/** Opens it and finds a command; Enter performs it. */
export async function typeCommand(page: Page, words: string): Promise<void> {
  await page.keyboard.press('ControlOrMeta+k');
  await expect(page.getByRole('combobox', { name: 'Commands' })).toBeFocused();
  await page.keyboard.type(words);
}
