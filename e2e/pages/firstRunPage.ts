import type { Locator, Page } from '@playwright/test';

export class FirstRunPage {
  readonly screen: Locator;
  readonly machine: Locator;
  readonly starter: Locator;
  readonly download: Locator;
  readonly startReading: Locator;
  /** What every later screen has. */
  readonly #navigation: Locator;

  readonly #page: Page;

  constructor(page: Page) {
    this.#page = page;
    this.screen = page.getByTestId('first-run');
    this.machine = page.getByRole('region', { name: 'What this machine can do' });
    this.starter = page.getByTestId('catalogue-entry').first();
    this.download = page.getByTestId('download');
    this.#navigation = page.getByRole('navigation', { name: 'Main' });
    this.startReading = page.getByRole('button', { name: 'Start reading' });
  }

  async downloadStarter(): Promise<void> {
    await this.starter.getByRole('button', { name: /^Download/ }).click();
  }

  /** Past the first run, without a model. */
  async skip(): Promise<void> {
    await this.#page.getByRole('button', { name: 'Continue without a model' }).click({ timeout: 30_000 });
  }

  /** From the first run to an empty chat, with the starter model. */
  async completeIfShown(): Promise<void> {
    await this.screen.or(this.#navigation).first().waitFor({ timeout: 30_000 });
    if (await this.#navigation.isVisible()) return;
    await this.downloadStarter();
    await this.startReading.click({ timeout: 120_000 });
  }
}
