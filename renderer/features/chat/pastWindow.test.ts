import { expect, it } from 'vitest';
import type { ContextMeter } from '../../../host/contract/entities.ts';
import { sampleFailure } from '../../testing/scriptedHost.ts';
import { passedWindow } from './pastWindow.ts';

const meter = (change: Partial<ContextMeter>, resident = 100, offloaded = 0): ContextMeter => ({
  windowTokens: 1000, trainedTokens: 1000, layers: [], headerTokens: 5, systemTokens: 5, documents: [], historyTokens: 80, questionTokens: 10, answerReserveTokens: 10,
  freeTokens: 800, refusal: null, cachedTokens: 0, readingTokensPerSecond: null, keptBytesPerToken: 100,
  tiers: { policy: 'sketch', residentTokens: resident, offloadedTokens: offloaded, chosenTokens: 0, estimatedTokens: offloaded, droppedTokens: 0, droppedBecause: null },
  ...change,
});
const offloaded = { id: 'e', conversationId: 'c', afterMessageId: null, createdAtMs: 1, details: { kind: 'offloaded' as const, residentTokens: 1, offloadedTokens: 1 } };

it('asks when the history passes the GPU, once, and when the model’s window is passed, each time', () => {
  expect(passedWindow(null, [])).toBeNull();
  expect(passedWindow(meter({}), [])).toBeNull();
  expect(passedWindow(meter({}, 60, 40), [])).toBe('gpu');
  expect(passedWindow(meter({}, 60, 40), [offloaded])).toBeNull();
  // Documents that are longer than the GPU holds are read as ever.
  expect(passedWindow(meter({ historyTokens: 10 }, 60, 400), [])).toBeNull();
  expect(passedWindow(meter({ refusal: sampleFailure }), [offloaded])).toBe('model');
  // The first question of a chat: there is nothing to summarise.
  expect(passedWindow(meter({ refusal: sampleFailure, historyTokens: 0 }), [])).toBeNull();
});
