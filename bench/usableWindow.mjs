/**
 * When a window can be used, asked in the page in every frame: a locator of Playwright's looks after 20, 70, 170, 270 and
 * 770 ms, and then every 500.
 */
export const isUsable = () => (document.querySelector('textarea, main h1')?.clientHeight ?? 0) > 0;
