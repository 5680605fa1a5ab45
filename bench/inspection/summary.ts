/** The figures of bench/inspection.ts. */
import { headOverlap, type StrongHead, strongestHeads } from './headOverlap.ts';
import { quantiles, ratio } from './quantiles.ts';

export interface QuestionLine {
  document: number;
  /** Of the prompt. */
  tokens: number;
  question: string;
  answer: string;
  text: string;
  correct: boolean;
  /** The ribbon's peak, and the sentence with the most attention, is the hidden one. */
  blockPeakRight: boolean;
  sentencePeakRight: boolean;
  /** Of the attention to the document that falls on that sentence. */
  peakShare: number;
  /** Nats that the answer loses without the hidden sentence, and without another stretch. */
  lost: number;
  lostOther: number;
  /** Heads that copied, among those that see everything. */
  copy: readonly StrongHead[];
  /** What answering took after reading, and looking into the answer afterwards. */
  answeringMs: number;
  lookingMs: number;
  seconds: number;
}

/** An answer of which less is left is destroyed: a tenth of its probability. */
const destroyedNats = Math.log(10);

export function summarise(lines: readonly QuestionLine[]): Record<string, unknown> {
  const right = lines.filter(({ correct }) => correct);
  const count = (holds: (line: QuestionLine) => boolean): number => right.filter(holds).length;
  // Wrong answers, too: they copy something else, by the same heads.
  const heads = [...Map.groupBy(lines, ({ document }) => document).values()].map(meanHeads);
  return {
    questions: lines.length,
    documents: new Set(lines.map(({ document }) => document)).size,
    tokens: Math.max(0, ...lines.map(({ tokens }) => tokens)),
    correct: right.length,
    blockPeakRight: ratio(count(({ blockPeakRight }) => blockPeakRight), right.length),
    sentencePeakRight: ratio(count(({ sentencePeakRight }) => sentencePeakRight), right.length),
    peakShare: quantiles(right.map(({ peakShare }) => peakShare)),
    lost: quantiles(right.map(({ lost }) => lost)),
    lostOther: quantiles(right.map(({ lostOther }) => lostOther)),
    destroyed: ratio(count(({ lost }) => lost > destroyedNats), right.length),
    destroyedByOther: ratio(count(({ lostOther }) => lostOther > destroyedNats), right.length),
    lookingPerAnswering: quantiles(lines.map(({ lookingMs, answeringMs }) => lookingMs / Math.max(1, answeringMs))),
    documentsWithHeads: heads.length,
    ...headOverlap(heads),
    secondsAQuestion: lines.reduce((sum, { seconds }) => sum + seconds, 0) / Math.max(1, lines.length),
  };
}

/** The strongest heads of the mean over the answers about a document. */
function meanHeads(lines: readonly QuestionLine[]): readonly StrongHead[] {
  const sums = new Map<string, { layer: number; head: number; copy: number }>();
  for (const [layer, head, copy] of lines.flatMap((line) => line.copy)) {
    const known = sums.get(`${layer}.${head}`);
    sums.set(`${layer}.${head}`, { layer, head, copy: (known?.copy ?? 0) + copy / lines.length });
  }
  return strongestHeads([...sums.values()].map((one) => ({ ...one, kind: 'full' as const })));
}
