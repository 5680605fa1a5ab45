/** An answer says what it rests on, and can be looked into: map, timeline, heads, passages, by mouse and by keyboard. */
import { join } from 'node:path';
import { expectAccessible } from './harness/accessible.ts';
import { takePictures } from './harness/pictures.ts';
import { expect, test } from './harness/test.ts';
import { pan, walk, walkMoves } from './harness/walk.ts';
import { ChatPage } from './pages/chatPage.ts';
import { FirstRunPage } from './pages/firstRunPage.ts';

const path = join(import.meta.dirname, 'data', 'lighthouse.txt');
const lookingTimeoutMs = 120_000;

test.describe.configure({ mode: 'serial' });
test.use({ story: 'inspector' });

test('an answer cites the sentence that it rests on, and a click opens the document there', async ({ app }) => {
  test.setTimeout(300_000);
  await new FirstRunPage(app.page).completeIfShown();
  const chat = new ChatPage(app.page);
  await app.choosingFile(path, () => chat.attach.click());
  await expect(chat.documents).toContainText(/\d{3} tokens/, { timeout: 90_000 });
  // Longer than what is looked at meanwhile takes on a fast machine.
  await chat.setLongestAnswer(600);
  await chat.ask('Tell the whole story of the lighthouse and of everyone in it, at length.');
  const live = chat.lastAnswer('streaming').getByTestId('live-attention');
  await expect(live).toHaveAttribute('data-tokens', /[1-9]/, { timeout: 240_000 });
  const toldTokens = async () => Number(await app.page.getByTestId('live-attention').getAttribute('data-tokens'));
  const before = await toldTokens();
  await expect.poll(toldTokens, { timeout: lookingTimeoutMs }).toBeGreaterThan(before);
  await expect(live.getByTestId('live-zones')).toContainText(/Documents[\d.]+ %/);
  await live.getByTestId('ribbon').click();
  await expect(app.page.getByTestId('reader-ribbon').getByTestId('ribbon')).toBeVisible();
  await takePictures(app, 'live-attention');
  await chat.stop.click();
  await expect(chat.lastAnswer('stopped').or(chat.lastAnswer('complete'))).toBeVisible({ timeout: lookingTimeoutMs });
  await app.page.getByTestId('preview').getByRole('button', { name: 'Close the preview' }).click();
  await chat.setLongestAnswer(24);
  await chat.edit(chat.questions.last(), 'What is the password to the library?');
  await expect(chat.lastAnswer('complete')).toBeVisible({ timeout: 240_000 });
  await expect(chat.lastText).toContainText('thistle');
  const chip = app.page.getByTestId('citation').first();
  await expect(chip).toHaveAttribute('data-grade', 'verified', { timeout: lookingTimeoutMs });
  await expectAccessible(app);
  await chip.hover();
  await expect(app.page.getByRole('tooltip')).toContainText('The password to the library is thistle.');
  await takePictures(app, 'citations');
  await chip.click();
  await expect(app.page.getByTestId('reader-mark')).toHaveText('The password to the library is thistle.');

  await app.page.getByTestId('what-was-read').click();
  await expect(app.page.getByRole('dialog', { name: 'What was read' })).toContainText('every token was attended to exactly');
  await takePictures(app, 'what-was-read');
  await app.page.getByTestId('look-inside').click();
});

test('the map shows where, and is moved by mouse and by keyboard', async ({ app }) => {
  test.setTimeout(lookingTimeoutMs);
  const map = app.page.getByTestId('attention-map');
  await expect(map).toHaveAttribute('data-tiles', /[1-9]/, { timeout: lookingTimeoutMs });
  await expect(app.page.getByTestId('map-pending')).toHaveCount(0, { timeout: lookingTimeoutMs });
  const box = await map.boundingBox();
  if (!box) throw new Error('the map has no place');
  await app.page.mouse.move(box.x + box.width / 2, box.y + box.height / 2);
  await expect(app.page.getByTestId('under-pointer')).toContainText('%');
  await takePictures(app, 'inspector-map');
  await expectAccessible(app);
  const level = Number(await map.getAttribute('data-level'));
  await app.page.mouse.wheel(0, -400);
  await map.focus();
  for (const key of ['+', '+', 'ArrowDown', 'ArrowRight', 'Shift+ArrowLeft']) await app.page.keyboard.press(key);
  await expect.poll(async () => Number(await map.getAttribute('data-level'))).toBeLessThanOrEqual(level);
  await app.page.keyboard.press('0');
  await app.page.getByRole('radio', { name: 'Largest weight' }).click();
  await expect(app.page.getByTestId('map-pending')).toHaveCount(0, { timeout: lookingTimeoutMs });
});

test('a walk over the map leaves no memory behind, and what was computed is there at once', async ({ app }) => {
  test.setTimeout(30_000 + 1000 * walkMoves);
  const { page } = app;
  const map = page.getByTestId('attention-map');
  // Everything is computed once before it is measured.
  await walk(page, map, 40);
  await expect(page.getByTestId('map-pending')).toHaveCount(0, { timeout: lookingTimeoutMs });
  const { heaps } = await walk(page, map, walkMoves);
  await expect(page.getByTestId('map-pending')).toHaveCount(0, { timeout: lookingTimeoutMs });
  expect(heaps.at(-1), heaps.join(' ')).toBeLessThan(1.1 * heaps[0] + 2e6);

  await map.focus();
  for (const key of ['0', '+', '+']) await page.keyboard.press(key);
  await expect(page.getByTestId('map-pending')).toHaveCount(0, { timeout: lookingTimeoutMs });
  const panned = await pan(page, map, walkMoves > 500 ? 20 : 4);
  // Another view and back: tiles come from the disk.
  await page.getByRole('radio', { name: 'Heads', exact: true }).click();
  await expect(page.getByTestId('head-atlas')).toBeVisible();
  const cachedMs = await page.evaluate(async () => {
    const startMs = performance.now();
    const radio = [...document.querySelectorAll<HTMLElement>('[role=radio]')].find(({ textContent }) => textContent === 'Map');
    radio?.click();
    const shown = (): boolean => Number(document.querySelector<HTMLElement>('[data-testid=attention-map]')?.dataset['tiles']) > 0 && !document.querySelector('[data-testid=map-pending]');
    while (!shown()) await new Promise(requestAnimationFrame);
    return performance.now() - startMs;
  });
  expect(panned.framesPerSecond).toBeGreaterThan(5);
  console.log(JSON.stringify({ bench: 'inspectorWalk', moves: walkMoves, heaps, ...panned, cachedMs }));
});

test('timeline, heads, passages, comparison, triangle and guide say the same in numbers', async ({ app }) => {
  test.setTimeout(300_000);
  const show = (name: string) => app.page.getByRole('radio', { name, exact: true }).click();
  await show('Timeline');
  await app.page.getByRole('slider', { name: 'Token of the answer' }).press('End');
  await expect(app.page.getByTestId('zones').getByRole('row')).not.toHaveCount(0);
  await expectAccessible(app);
  await takePictures(app, 'inspector-timeline');

  await show('Heads');
  const heads = app.page.getByTestId('head-atlas').getByRole('button');
  await expect(heads).toHaveCount(30 * 9);
  await heads.first().press('Enter');
  await expect(app.page.getByText('1 head chosen')).toBeVisible();
  await app.page.getByRole('button', { name: 'Clear' }).press('Enter');
  await expectAccessible(app);
  await takePictures(app, 'inspector-heads');

  await show('Passages');
  await app.page.getByRole('combobox', { name: 'Attention of' }).selectOption('whole');
  await app.page.getByRole('combobox', { name: 'By' }).selectOption('sentence');
  const first = app.page.getByTestId('passages').getByRole('row').nth(1);
  await expect(first).toContainText('The password to the library is thistle.', { timeout: lookingTimeoutMs });
  await first.getByRole('button', { name: 'Try without it' }).click();
  await expect(first.getByTestId('ablation')).toHaveText(/loses [1-9][\d.]* nats/, { timeout: lookingTimeoutMs });
  await takePictures(app, 'inspector-passages');
  await expectAccessible(app);
  const download = app.page.waitForEvent('download');
  await app.page.getByRole('button', { name: 'Save as CSV' }).click();
  expect((await download).suggestedFilename()).toBe('passages.csv');

  await show('Compare');
  await expect(app.page.getByText('There is no other answer to this question')).toBeVisible();
  await show('Triangle');
  await app.page.getByRole('button', { name: 'Compute', exact: true }).press('Enter');
  const triangle = app.page.getByTestId('triangle');
  await expect(triangle).toHaveAttribute('data-level', '0', { timeout: lookingTimeoutMs });
  await triangle.getByRole('application').focus();
  for (const key of ['ArrowDown', 'ArrowDown', 'ArrowRight']) await app.page.keyboard.press(key);
  await expect(app.page.getByTestId('triangle-under')).toContainText('%');
  await expect(app.page.getByTestId('triangle-far').getByRole('button')).not.toHaveCount(0);
  await expectAccessible(app);
  await takePictures(app, 'inspector-triangle');
  await app.page.keyboard.press('+');
  await expect(triangle).toHaveAttribute('data-level', '1', { timeout: lookingTimeoutMs });
  await show('Guide');
  await expect(app.page.getByTestId('guide')).toContainText('Attention is not an explanation.');
  await app.page.getByRole('button', { name: 'Compute the examples' }).press('Enter');
  const examples = app.page.getByTestId('guide-example');
  await expect(examples).toHaveCount(3, { timeout: lookingTimeoutMs });
  await expect(examples.first()).toContainText('DRINK ME', { timeout: lookingTimeoutMs });
  await expect(examples.last().getByRole('listitem')).toHaveCount(2, { timeout: lookingTimeoutMs });
  await expect(examples.last()).toContainText(/got [\d.]+ % of the attention; without it the answer loses [\d.]+ nats/);
  await expectAccessible(app);
  await takePictures(app, 'inspector-guide');
  await app.page.getByRole('button', { name: 'Back to the chat' }).click();
});

test('an answer from beyond the GPU says what was chosen and where it lies, and is compared with the first cell by cell', async ({ app }) => {
  test.setTimeout(300_000);
  const chat = new ChatPage(app.page);
  await app.page.keyboard.press('ControlOrMeta+,');
  const budget = app.page.getByRole('spinbutton', { name: 'On the GPU' });
  await budget.fill('0.1');
  await budget.press('Enter');
  await budget.blur();
  await app.page.keyboard.press('/');
  await chat.answers.last().hover();
  await chat.answers.last().getByRole('button', { name: 'Answer again' }).click();
  await expect(chat.alternative(chat.answers.last())).toHaveText('2/2', { timeout: lookingTimeoutMs });
  await expect(chat.lastAnswer('complete')).toBeVisible({ timeout: lookingTimeoutMs });
  await app.page.getByTestId('what-was-read').click({ timeout: lookingTimeoutMs });
  await app.page.getByTestId('look-inside').click();
  await app.page.getByRole('button', { name: 'Choice and memory' }).press('Enter');
  const strips = app.page.getByTestId('retrieval');
  await expect(strips.getByRole('img')).toHaveCount(4, { timeout: lookingTimeoutMs });
  await expect(app.page.getByTestId('retrieval-numbers')).toContainText(/Policy sketch, [1-4] steps? compared with full attention: [\d.]+ % of the best keys/);
  await strips.getByText('Numbers of each step').press('Enter');
  await expect(strips.getByRole('row')).not.toHaveCount(1);
  await expect(app.page.getByTestId('map-pending')).toHaveCount(0, { timeout: lookingTimeoutMs });
  await expectAccessible(app);
  await takePictures(app, 'inspector-choice');

  await app.page.getByRole('radio', { name: 'Compare' }).press('Enter');
  await expect(app.page.getByTestId('runs').getByRole('row')).toHaveCount(3);
  await expect(app.page.getByTestId('runs')).toContainText('sketch');
  const map = app.page.getByTestId('difference-map').getByTestId('attention-map');
  await expect(map).toHaveAttribute('data-tiles', /[1-9]/, { timeout: lookingTimeoutMs });
  await map.focus();
  for (const key of ['ArrowDown', 'ArrowRight', '+']) await app.page.keyboard.press(key);
  await expect(app.page.getByTestId('difference-map').getByTestId('map-pending')).toHaveCount(0, { timeout: lookingTimeoutMs });
  await expect(app.page.getByTestId('difference-map').getByTestId('under-pointer')).toContainText('%');
  await expectAccessible(app);
  await takePictures(app, 'inspector-compare');
  await app.page.getByRole('button', { name: 'Back to the chat' }).click();
});

test('a question for all of something goes through the whole document, and says what it covered', async ({ app }) => {
  test.setTimeout(lookingTimeoutMs);
  const chat = new ChatPage(app.page);
  await chat.composer.fill('List every animal in the text.');
  const offer = app.page.getByTestId('sweep-offer');
  await expect(offer).toContainText('lighthouse.txt');
  await offer.getByRole('button', { name: 'Go through all of it' }).click();
  const sweep = app.page.getByTestId('sweep');
  await expect(sweep).toHaveAttribute('data-state', 'done', { timeout: lookingTimeoutMs });
  await expect(chat.composer).toHaveValue('');
  await expectAccessible(app);
  await sweep.getByRole('button', { name: 'Show what was found' }).click();
  await expect(app.page.getByTestId('sweep-coverage')).toContainText('Read: 1 of 1 part, 100 % of the text.');
  await takePictures(app, 'sweep');
  await app.page.getByRole('dialog').getByRole('button', { name: 'Close' }).click();
  await sweep.getByRole('button', { name: 'Remove' }).click();
  await expect(sweep).toHaveCount(0);
  expect(app.policyViolations).toEqual([]);
});
