/** A worker with one model that answers questions about a text and looks into its answers, as the app does. */
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { defaultSampling } from '../../host/contract/entities.ts';
import type { AnswerEvidence } from '../../host/contract/inspection.ts';
import { type ChatPrompt, generateResult, inspectionResults } from '../../host/gpu-worker/protocol.ts';
import { contentWords } from '../../host/inspector/alignment.ts';
import { workerEntry } from '../../host/locations.ts';
import { ModelSession } from '../../host/worker/modelSession.ts';
import { WorkerSupervisor } from '../../host/worker/supervisor.ts';

/** Characters [start, end) of a document's text. */
export interface Place {
  start: number;
  end: number;
}

export interface LookedAt {
  prompt: ChatPrompt;
  text: string;
  evidence: AnswerEvidence;
  /** What answering took after reading, and looking into the answer afterwards. */
  answeringMs: number;
  lookingMs: number;
}

const mostAnswerTokens = 40;

/** In the pack for GPU machines the worker lies beside the program, in a build a folder above. */
export function benchWorkerEntry(): string {
  const besideMe = workerEntry();
  return existsSync(besideMe) ? besideMe : join(dirname(besideMe), '..', basename(besideMe));
}

export class AskAndLook {
  readonly #modelPath: string;
  readonly #folder = mkdtempSync(join(tmpdir(), 'longleaf-look-'));
  readonly #supervisor = new WorkerSupervisor({ entry: benchWorkerEntry() });
  readonly #session = new ModelSession(this.#supervisor);

  constructor(modelPath: string) {
    this.#modelPath = modelPath;
  }

  get adapterName(): string | undefined {
    return this.#supervisor.status.adapter?.name;
  }

  /** `id`: of the text; the worker keeps the tokens of documents by it. */
  ask(id: string, text: string, question: string): Promise<LookedAt> {
    const textPath = join(this.#folder, 'document.txt');
    writeFileSync(textPath, text);
    const prompt: ChatPrompt = { kind: 'chat', documents: [{ id, name: 'The document', textPath }], system: '', history: [], question };
    return this.#use(async () => {
      const answered = await this.#supervisor.run({ kind: 'generate', prompt, sampling: { ...defaultSampling, maxTokens: mostAnswerTokens }, stop: [] }, generateResult, {});
      const startedMs = performance.now();
      const evidence = await this.#supervisor.run({ kind: 'inspect', prompt, answer: answered.text, wish: { name: 'evidence' } }, inspectionResults.evidence, {});
      return { prompt, text: answered.text, evidence, answeringMs: answered.statistics.answeringMs, lookingMs: performance.now() - startedMs };
    });
  }

  /** Nats that the whole answer loses when a passage cannot be attended to. */
  async lostWithout({ prompt, text }: LookedAt, place: Place): Promise<number> {
    const wish = { name: 'ablation' as const, documentId: prompt.documents[0].id, ...place };
    const { before, after } = await this.#use(() => this.#supervisor.run({ kind: 'inspect', prompt, answer: text, wish }, inspectionResults.ablation, {}));
    return before.reduce((sum, logprob, i) => sum + logprob - after[i], 0);
  }

  /** Attention of the retrieval heads to each token of the document, a mean over the answer, and where each token begins. */
  async profile({ prompt, text, evidence }: LookedAt): Promise<{ starts: Uint32Array; weights: Float32Array }> {
    const wish = { name: 'profile' as const, documentId: prompt.documents[0].id, heads: 'retrieval' as const, rows: { from: 0, to: evidence.tokens.length } };
    const { starts, weights } = await this.#use(() => this.#supervisor.run({ kind: 'inspect', prompt, answer: text, wish }, inspectionResults.profile, {}));
    return { starts: new Uint32Array(bytesOf(starts)), weights: new Float32Array(bytesOf(weights)) };
  }

  async close(): Promise<void> {
    await this.#supervisor.close();
    rmSync(this.#folder, { recursive: true });
  }

  #use<T>(work: () => Promise<T>): Promise<T> {
    return this.#session.use({ id: 'model', path: this.#modelPath, contextTokens: null, boundsChecks: false }, {}, work);
  }
}

export function overlaps(one: Place | null, other: Place): boolean {
  return one !== null && one.start < other.end && one.end > other.start;
}

/** The characters of the ribbon's block that most attention falls on. */
export function peakOf({ blocks, blockStarts }: AnswerEvidence['documents'][number]): Place {
  const shares = new Float32Array(bytesOf(blocks));
  const columns = blockStarts.length - 1;
  const sums = new Float64Array(columns);
  for (const [i, share] of shares.entries()) sums[i % columns] += share;
  // The first block holds the sinks.
  const peak = sums.reduce((best, sum, i) => (i > 0 && sum > sums[best] ? i : best), Math.min(1, columns - 1));
  return { start: blockStarts[peak], end: blockStarts[peak + 1] };
}

/** Whether the answer's words are in a text, in any order of its own. */
export function holds(text: string, answer: string): boolean {
  const words = new Set(contentWords(text));
  const wanted = contentWords(answer);
  return wanted.length > 0 && wanted.every((word) => words.has(word));
}

export function bytesOf(base64: string): ArrayBuffer {
  return Uint8Array.from(Buffer.from(base64, 'base64')).buffer;
}
