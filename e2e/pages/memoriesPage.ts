import type { Locator, Page } from '@playwright/test';

export class MemoriesPage {
  /** Those that are not read to their end. */
  readonly readings: Locator;
  readonly rows: Locator;
  readonly usage: Locator;
  readonly #navigation: Locator;

  constructor(page: Page) {
    this.#navigation = page.getByRole('navigation', { name: 'Main' }).getByRole('button', { name: /^Memories/ });
    this.readings = page.getByRole('main').getByTestId('reading');
    this.rows = page.getByTestId('memory');
    this.usage = page.getByTestId('memory-usage');
  }

  async open(): Promise<void> {
    await this.#navigation.click();
  }
}
