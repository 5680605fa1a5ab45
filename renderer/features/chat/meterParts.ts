/** The context meter as rows and segments: what the bar draws and the table lists. */
import type { ContextMeter, ContextTiers } from '../../../host/contract/entities.ts';
import { chatStrings } from './strings.ts';

export type PartKind = 'system' | 'document' | 'document-alternate' | 'history' | 'question' | 'reserve' | 'free';

export interface MeterPart {
  key: string;
  kind: PartKind;
  label: string;
  tokens: number;
  /** Of the window, or of the prompt where that is larger. */
  share: number;
}

export type TierKind = 'resident' | 'chosen' | 'estimated' | 'dropped';

/** Where tokens of the prompt lie and how a step attends to them; together they are the prompt. */
export interface MeterTier {
  kind: TierKind;
  label: string;
  tokens: number;
  /** Of the prompt. */
  share: number;
}

export interface MeterSummary {
  parts: MeterPart[];
  /** Everything but what is free, the answer's reserve included. */
  usedTokens: number;
  windowTokens: number;
  /** How many tokens lie beyond what the model was trained on. */
  untrainedTokens: number;
  /** How many tokens there are too many; 0 when it fits. */
  excessTokens: number;
  unreadTokens: number;
  tiers: MeterTier[];
  offloadedTokens: number;
  droppedTokens: number;
  /** What layers that evict have dropped at least, and how many such layers there are. */
  evicted: { tokens: number; layers: number };
  /** Null while this model's speed on this machine is unknown. */
  readingSeconds: number | null;
}

export function summarise(meter: ContextMeter): MeterSummary {
  const { parts: names } = chatStrings.meter;
  const promptTokens =
    meter.headerTokens + meter.systemTokens + meter.historyTokens + meter.questionTokens + meter.documents.reduce((sum, { tokens }) => sum + tokens, 0);
  const usedTokens = promptTokens + meter.answerReserveTokens;
  const whole = Math.max(meter.windowTokens, usedTokens, 1);
  const part = (key: string, kind: PartKind, label: string, tokens: number): MeterPart => ({ key, kind, label, tokens, share: tokens / whole });
  const unreadTokens = Math.max(0, promptTokens - meter.cachedTokens);
  const speed = meter.readingTokensPerSecond;
  return {
    parts: [
      part('system', 'system', names.system, meter.headerTokens + meter.systemTokens),
      ...meter.documents.map(({ documentId, name, tokens }, index) => part(documentId, index % 2 === 0 ? 'document' : 'document-alternate', name, tokens)),
      part('history', 'history', names.history, meter.historyTokens),
      part('question', 'question', names.question, meter.questionTokens),
      part('reserve', 'reserve', names.reserve, meter.answerReserveTokens),
      part('free', 'free', names.free, Math.max(0, meter.freeTokens)),
    ],
    usedTokens,
    windowTokens: meter.windowTokens,
    untrainedTokens: Math.max(0, usedTokens - meter.trainedTokens),
    excessTokens: Math.max(0, -meter.freeTokens),
    unreadTokens,
    tiers: summariseTiers(meter.tiers),
    offloadedTokens: meter.tiers.offloadedTokens,
    droppedTokens: meter.tiers.droppedTokens,
    evicted: evictedOf(meter, promptTokens),
    readingSeconds: speed ? unreadTokens / speed : null,
  };
}

/** Every such layer keeps its window and its budget, and no more. */
function evictedOf({ layers }: ContextMeter, promptTokens: number): MeterSummary['evicted'] {
  const evicting = layers.filter(({ kind }) => kind === 'evicting');
  const rooms = evicting.map(({ reachTokens, budgetTokens }) => (reachTokens ?? 0) + (budgetTokens ?? 0));
  return { tokens: Math.max(0, promptTokens - Math.min(...rooms, Infinity)), layers: evicting.reduce((sum, group) => sum + group.layers.length, 0) };
}

function summariseTiers({ residentTokens, offloadedTokens, chosenTokens, estimatedTokens, droppedTokens }: ContextTiers): MeterTier[] {
  const { tiers: names } = chatStrings.meter;
  const whole = Math.max(1, residentTokens + offloadedTokens);
  const tier = (kind: TierKind, tokens: number): MeterTier => ({ kind, label: names[kind], tokens, share: tokens / whole });
  return [tier('resident', residentTokens), tier('chosen', chosenTokens), tier('estimated', estimatedTokens), tier('dropped', droppedTokens)];
}
