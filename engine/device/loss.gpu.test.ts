import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, onTestFinished, test } from 'vitest';
import { openTestDevice } from '../testing/device.ts';

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

test('waiting for a device leaves nothing behind while it lives: an answer waits once a token', async () => {
  const device = await openTestDevice();
  onTestFinished(() => device.destroy());
  const bytesAfter = async (waits: number): Promise<number> => {
    for (let wait = 0; wait < waits; wait += 1) await device.settle(Promise.resolve());
    collectGarbage();
    return process.memoryUsage().heapUsed;
  };
  const before = await bytesAfter(200);
  const waits = 2000;
  const bytesEach = ((await bytesAfter(waits)) - before) / waits;
  expect(bytesEach).toBeLessThan(100);
});
