import { expect, test } from 'vitest';
import { TeamPace } from './pace.ts';

/** Goes on for `steps`; how many of them went together. */
function run(pace: TeamPace, steps: number, togetherMs: number, apartMs: number): number {
  let count = 0;
  for (let step = 0; step < steps; step++) {
    const together = pace.begin();
    if (together) count++;
    pace.took(together ? togetherMs : apartMs);
  }
  return count;
}

test('steps go together but for a few, as long as that is faster', () => {
  expect(run(new TeamPace(), 320, 20, 30)).toBe(310);
});

test('when other programs want the cores they go apart, and together again afterwards', () => {
  const pace = new TeamPace();
  run(pace, 100, 20, 30);
  expect(run(pace, 320, 130, 40)).toBeLessThan(60);
  expect(run(pace, 320, 20, 30)).toBeGreaterThan(260);
});

test('a moment in which other programs want the cores costs few steps', () => {
  const pace = new TeamPace();
  run(pace, 100, 20, 30);
  run(pace, 4, 130, 40);
  expect(run(pace, 32, 20, 30)).toBeGreaterThan(20);
});

test('one slow step changes nothing', () => {
  const pace = new TeamPace();
  run(pace, 50, 20, 30);
  pace.begin();
  pace.took(60);
  expect(run(pace, 31, 20, 30)).toBeGreaterThan(28);
});

test('a step whose time says nothing is left out; so are those that nobody waited for', () => {
  const pace = new TeamPace();
  for (let step = 0; step < 64; step++) {
    pace.begin();
    pace.took(null);
  }
  pace.begin();
  pace.forget();
  pace.took(5);
  // The 96th is a trial.
  expect(run(pace, 31, 20, 30)).toBe(30);
});
