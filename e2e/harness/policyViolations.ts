/** What the page's content security policy refused: the browser reports it on the console, and nothing we ship may cause it. */
import type { Page } from '@playwright/test';

export function notePolicyViolations(page: Page, violations: string[]): void {
  page.on('console', (message) => {
    if (/Content Security Policy|Trusted ?Types?/i.test(message.text())) violations.push(message.text());
  });
}
