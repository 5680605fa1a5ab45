import { describe, expect, it } from 'vitest';
import type { AnswerProgress, ContextMeter } from '../../../host/contract/entities.ts';
import { summarise } from './meterParts.ts';
import { phaseText } from './phase.ts';
import { type SendSituation, sendBlockerOf } from './sendBlocker.ts';

const meter: ContextMeter = {
  windowTokens: 8192,
  trainedTokens: 8192,
  layers: [],
  headerTokens: 12,
  systemTokens: 20,
  documents: [
    { documentId: 'a', name: 'one.txt', tokens: 2000 },
    { documentId: 'b', name: 'two.txt', tokens: 1000 },
  ],
  historyTokens: 300,
  questionTokens: 8,
  answerReserveTokens: 512,
  freeTokens: 4340,
  refusal: null,
  cachedTokens: 2032,
  tiers: { policy: 'sketch', residentTokens: 3340, offloadedTokens: 0, chosenTokens: 0, estimatedTokens: 0, droppedTokens: 0, droppedBecause: null },
  readingTokensPerSecond: 100,
  keptBytesPerToken: 100,
};
const tooLong: ContextMeter = {
  ...meter,
  documents: [{ documentId: 'a', name: 'one.txt', tokens: 10_000 }],
  freeTokens: -2660,
  refusal: { code: 'does-not-fit', message: '10,852 tokens are needed and the window has 8,192.', remedy: 'Remove a document.' },
};

describe('summarise', () => {
  it('tells how much lies beyond the training of the model', () => {
    expect(summarise(meter).untrainedTokens).toBe(0);
    expect(summarise({ ...meter, trainedTokens: 3000 }).untrainedTokens).toBe(852);
  });

  it('says what layers that evict have dropped at least', () => {
    const evicting = { kind: 'evicting' as const, mechanism: null, layers: [1, 3, 5], reachTokens: 769, budgetTokens: 512, stateBytes: 1 };
    const used = summarise(meter).usedTokens - meter.answerReserveTokens;
    expect(summarise(meter).evicted).toEqual({ tokens: 0, layers: 0 });
    expect(summarise({ ...meter, layers: [evicting] }).evicted).toEqual({ tokens: used - 1281, layers: 3 });
    expect(summarise({ ...meter, layers: [{ ...evicting, budgetTokens: 100_000 }] }).evicted).toEqual({ tokens: 0, layers: 3 });
  });

  it('adds up to the window', () => {
    const { parts, usedTokens } = summarise(meter);
    expect(parts.map(({ key, tokens }) => [key, tokens])).toEqual([
      ['system', 32], ['a', 2000], ['b', 1000], ['history', 300], ['question', 8], ['reserve', 512], ['free', 4340],
    ]);
    expect(usedTokens).toBe(3852);
    expect(parts.reduce((sum, { share }) => sum + share, 0)).toBeCloseTo(1);
  });

  it('tells the tiers of the prompt, which add up to it', () => {
    const beyond = { policy: 'sketch' as const, residentTokens: 840, offloadedTokens: 2500, chosenTokens: 50, estimatedTokens: 2450, droppedTokens: 0, droppedBecause: null };
    const { tiers, offloadedTokens, droppedTokens } = summarise({ ...meter, tiers: beyond });
    expect(tiers.map(({ kind, tokens }) => [kind, tokens])).toEqual([['resident', 840], ['chosen', 50], ['estimated', 2450], ['dropped', 0]]);
    expect(tiers.reduce((sum, { share }) => sum + share, 0)).toBeCloseTo(1);
    expect({ offloadedTokens, droppedTokens }).toEqual({ offloadedTokens: 2500, droppedTokens: 0 });
    expect(summarise(meter).offloadedTokens).toBe(0);
  });

  it('estimates the wait from what is not cached', () => {
    expect(summarise(meter)).toMatchObject({ unreadTokens: 1308, readingSeconds: 13.08 });
    expect(summarise({ ...meter, readingTokensPerSecond: null }).readingSeconds).toBeNull();
  });

  it('says by how much a prompt is too long, and the bar does not overflow', () => {
    const { excessTokens, parts } = summarise(tooLong);
    expect(excessTokens).toBe(2660);
    expect(parts.reduce((sum, { share }) => sum + share, 0)).toBeCloseTo(1);
  });
});

describe('phaseText', () => {
  const progress: AnswerProgress = { conversationId: 'c1', messageId: 'a1', phase: 'answering', done: 12, total: 512, perSecond: 20, secondsLeft: null, tiers: meter.tiers };

  it('says which tiers an answer comes from, while it is written', () => {
    expect(phaseText(progress).details).toEqual(['12 tokens', '20.0 tokens/s', 'all 3,340 tokens on the GPU']);
    const tiers = { ...meter.tiers, residentTokens: 840, offloadedTokens: 2500, chosenTokens: 50, estimatedTokens: 2450 };
    expect(phaseText({ ...progress, tiers }).details.slice(2)).toEqual(['attending to 890 of 3,340 tokens exactly', '2,450 estimated', '0 dropped']);
    expect(phaseText({ ...progress, tiers: null }).details).toHaveLength(2);
  });
});

describe('sendBlockerOf', () => {
  const ready: SendSituation = { connected: true, hasModel: true, answering: false, documentsArriving: false, draft: 'Who?', meter, undecided: false };

  it('lets a question through when nothing is in the way', () => {
    expect(sendBlockerOf(ready)).toBeNull();
    expect(sendBlockerOf({ ...ready, meter: null })).toBeNull();
  });

  it('refuses what does not fit, with the host’s sentence', () => {
    expect(sendBlockerOf({ ...ready, meter: tooLong })).toEqual({ kind: 'does-not-fit', failure: tooLong.refusal });
  });

  it('names the first thing in the way', () => {
    expect(sendBlockerOf({ ...ready, connected: false, hasModel: false })).toEqual({ kind: 'disconnected' });
    expect(sendBlockerOf({ ...ready, hasModel: false })).toEqual({ kind: 'no-model' });
    expect(sendBlockerOf({ ...ready, answering: true })).toEqual({ kind: 'answering' });
    expect(sendBlockerOf({ ...ready, documentsArriving: true })).toEqual({ kind: 'documents-arriving' });
    expect(sendBlockerOf({ ...ready, draft: ' \n' })).toEqual({ kind: 'empty' });
  });
});
