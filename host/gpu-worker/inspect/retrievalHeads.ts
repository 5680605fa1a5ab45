/**
 * Which heads of a model fetch what it copies from its documents (retrieval heads: Wu et al., “Retrieval Head
 * Mechanistically Explains Long-Context Factuality”, arXiv 2404.15574). Their copy scores are gathered from the answers
 * that were looked at, in one small file a model, so that an answer that copies nothing is judged by the others.
 */
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as z from 'zod';
import type { HeadStatistics } from '../../contract/inspection.ts';

const stored = z.object({ answers: z.number().int().nonnegative(), copy: z.record(z.string(), z.number()) });
type Stored = z.infer<typeof stored>;

/** Older answers count less and less. */
const mostAnswers = 50;
/** Retrieval heads at most: so many, or such a share of all, whichever is more. */
const fewest = 8;
const largestShare = 0.04;
/** Heads that copy less than this share of what the best one copies are none. */
const leastOfBest = 0.2;

export class RetrievalHeads {
  readonly #path: string;
  #stored: Stored;

  /** A file that cannot be read counts as empty. */
  constructor(folder: string, fingerprint: string) {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    this.#path = join(folder, `attention-heads-${fingerprint.replaceAll(/[^A-Za-z0-9]/gu, '').slice(0, 32)}.json`);
    this.#stored = read(this.#path);
  }

  /** Notes what the heads copied for one answer; an answer that copied nothing says nothing about them. */
  note(heads: readonly HeadStatistics[]): void {
    if (Math.max(0, ...heads.map(({ copy }) => copy)) < 0.05) return;
    const { answers, copy } = this.#stored;
    const weight = 1 / (Math.min(answers, mostAnswers - 1) + 1);
    const mixed = heads.map((head) => [keyOf(head), (1 - weight) * (copy[keyOf(head)] ?? 0) + weight * head.copy] as const);
    this.#stored = { answers: answers + 1, copy: Object.fromEntries(mixed.map(([key, score]) => [key, Math.round(score * 1e4) / 1e4])) };
    const partial = `${this.#path}.${process.pid}`;
    writeFileSync(partial, JSON.stringify(this.#stored), { mode: 0o600 });
    renameSync(partial, this.#path);
  }

  /** Heads that fetched in earlier answers, strongest first; none where none is known. */
  strongest(): { layer: number; head: number }[] {
    const scores = Object.entries(this.#stored.copy);
    const best = Math.max(0, ...scores.map(([, score]) => score));
    return scores
      .filter(([, score]) => score > 0 && score >= leastOfBest * best)
      .sort(([, a], [, b]) => b - a)
      .map(([key]) => {
        const [layer, head] = key.split('.').map(Number);
        return { layer, head };
      });
  }

  /** The heads with `retrieval` set for those that fetch; there is always one, among the layers that see everything. */
  mark(heads: readonly HeadStatistics[]): HeadStatistics[] {
    const score = (head: HeadStatistics): number => (this.#stored.copy[keyOf(head)] ?? 0) + head.copy;
    const full = heads.filter(({ kind }) => kind === 'full');
    const best = Math.max(0, ...full.map(score));
    const rank = best > 0 ? score : ({ zones }: HeadStatistics) => zones.document;
    const least = best > 0 ? leastOfBest * best : 0;
    const most = Math.max(fewest, Math.floor(largestShare * heads.length));
    const chosen = new Set([...full].sort((a, b) => rank(b) - rank(a)).slice(0, most).filter((head, index) => index === 0 || rank(head) >= least).map(keyOf));
    return heads.map((head) => ({ ...head, retrieval: chosen.has(keyOf(head)) }));
  }
}

function keyOf({ layer, head }: { layer: number; head: number }): string {
  return `${layer}.${head}`;
}

function read(path: string): Stored {
  if (!existsSync(path)) return { answers: 0, copy: {} };
  try {
    return stored.parse(JSON.parse(readFileSync(path, 'utf8')));
  } catch {
    return { answers: 0, copy: {} };
  }
}
