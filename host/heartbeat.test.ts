import { expect, test } from 'vitest';
import { Heartbeat } from './contract/heartbeat.ts';

function beating(owing = false) {
  const clock = { nowMs: 1000 };
  const log: string[] = [];
  const heartbeat = new Heartbeat(
    { everyMs: 100, patienceMs: () => 1000, ping: () => log.push('ping'), onHang: () => log.push('hang'), nowMs: () => clock.nowMs },
    owing,
  );
  const beat = (afterMs = 100, times = 1) => {
    for (let index = 0; index < times; index += 1) {
      clock.nowMs += afterMs;
      heartbeat.beat();
    }
  };
  return { heartbeat, log, beat };
}

test('who answers is asked again at the next beat', () => {
  const { heartbeat, log, beat } = beating();
  for (let index = 0; index < 50; index += 1) {
    beat();
    heartbeat.heard();
  }
  expect(log).toEqual(Array.from({ length: 50 }, () => 'ping'));
});

test('who is silent for longer than the patience hangs, and is asked only once', () => {
  const { log, beat } = beating();
  beat(100, 11);
  expect(log).toEqual(['ping']);
  beat();
  expect(log).toEqual(['ping', 'hang']);
});

test('an hour of sleep counts as two beats', () => {
  const { heartbeat, log, beat } = beating();
  beat();
  beat(3_600_000);
  expect(log).toEqual(['ping']);
  heartbeat.heard();
  beat(3_600_000);
  expect(log).toEqual(['ping', 'ping']);
});

test('whoever owes a sign of life from the start is not asked for it', () => {
  const { log, beat } = beating(true);
  beat(100, 10);
  expect(log).toEqual([]);
  beat();
  expect(log).toEqual(['hang']);
});
