import type { Locator, Page } from '@playwright/test';

export class FirstRunPage {
  readonly screen: Locator;
  readonly machine: Locator;
  readonly starter: Locator;
  readonly download: Locator;
  readonly startReading: Locator;

  constructor(page: Page) {
    this.screen = page.getByTestId('first-run');
    this.machine = page.getByRole('region', { name: 'What this machine can do' });
    this.starter = page.getByTestId('catalogue-entry').first();
    this.download = page.getByTestId('download');
    this.startReading = page.getByRole('button', { name: 'Start reading' });
  }

  async downloadStarter(): Promise<void> {
    await this.starter.getByRole('button', { name: /^Download/ }).click();
  }

  /** From the first run to an empty chat, with the starter model. */
  async complete(): Promise<void> {
    await this.downloadStarter();
    await this.startReading.click({ timeout: 120_000 });
  }
}
