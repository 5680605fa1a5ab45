/** What the scripted worker finds in an answer: every word looks at the first word of the document, and cites it. */
import { setTimeout as pause } from 'node:timers/promises';
import { readFileSync } from 'node:fs';
import { cancelled } from '../errors.ts';
import type { AnswerEvidence } from '../contract/inspection.ts';
import type { LiveRows, LiveView } from '../contract/liveAttention.ts';
import type { WorkerRequest } from '../gpu-worker/protocol.ts';

type Inspect = Extract<WorkerRequest, { kind: 'inspect' }>;

const zones = { sinks: 0.25, recent: 0.25, document: 0.5, other: 0 };
const base64 = (values: Float32Array | Uint32Array): string => Buffer.from(values.buffer).toString('base64');

export async function inspectScripted({ prompt, answer, wish }: Inspect, isCancelled: () => boolean): Promise<unknown> {
  for (let waited = 0; prompt.question.includes('slow') && waited < 500; waited += 20) {
    if (isCancelled()) throw cancelled();
    await pause(20);
  }
  const words = [...answer.matchAll(/\S+\s*/g)].map(({ 0: word, index }) => ({ start: index, end: index + word.length }));
  if (wish.name === 'ablation') return { before: words.map(() => -0.5), after: words.map(() => -3) };
  if (wish.name === 'profile') {
    const text = readFileSync(prompt.documents[0].textPath, 'utf8');
    const starts = Uint32Array.from(text.matchAll(/\S+/g), ({ index }) => index);
    return { tokens: starts.length, starts: base64(starts), weights: base64(Float32Array.from(starts, (_, i) => (i === 0 ? 0.5 : 0))) };
  }
  if (wish.name === 'retrieval') {
    const shares = (...values: number[]): string => base64(Float32Array.from(values));
    const half = { far: shares(1, 1, 0, 0), returned: shares(1, 0, 0, 0), best: shares(1, 1, 0, 0), missed: shares(0, 0.2, 0, 0), onGpu: shares(0.5, 0, 1, 1), inRam: shares(0.5, 0, 0, 0), onDisk: shares(0, 1, 0, 0) };
    const steps = words.map((_, row) => ({ chosen: 10, hits: 8, fetched: 2, ramReadBytes: 512, diskReadBytes: 0, waitMs: 0.2, fetchMs: 0.1, recall: row === 0 ? 0.5 : null, mass: row === 0 ? 0.8 : null }));
    return { policy: 'sketch', sealedTokens: 3, sampledSteps: 1, steps, documents: prompt.documents.map(({ id }) => ({ documentId: id, ...half })) };
  }
  if (wish.name === 'tile' || wish.name === 'triangle') {
    const rows = Math.ceil((wish.rows.to - wish.rows.from) / wish.rows.perBucket);
    const columns = Math.ceil((wish.keys.to - wish.keys.from) / wish.keys.perBucket);
    const sums = Float32Array.from({ length: rows * columns }, (_, cell) => (cell % columns === 0 ? 1 : 0));
    return { rows, columns, heads: 1, sums: base64(sums), peaks: base64(sums), peakKeys: base64(new Uint32Array(rows * columns)) };
  }
  return evidenceOf(prompt, words);
}

function evidenceOf(prompt: Inspect['prompt'], words: { start: number; end: number }[]): AnswerEvidence {
  const documents = prompt.documents.map(({ id, name, textPath }) => {
    const text = readFileSync(textPath, 'utf8');
    const starts = [...text.matchAll(/\S+/g)].map(({ index }) => index);
    const blocks = Float32Array.from({ length: words.length * starts.length }, (_, cell) => (cell % starts.length === 0 ? 0.5 : 0));
    return { documentId: id, name, firstToken: 1, tokens: starts.length, blockTokens: 1, blockStarts: [...starts, text.length], blocks: base64(blocks) };
  });
  const [first] = documents;
  const passage = { documentId: first.documentId, start: 0, end: first.blockStarts[1], share: 1 };
  const claim = { start: 0, end: words.at(-1)?.end ?? 0 };
  return {
    version: 1,
    promptTokens: 100,
    tokens: words.map(({ start, end }, row) => ({ start, end, position: 99 + row, logprob: -0.5, zones: [zones] })),
    answerTokens: words.length,
    groups: [{ name: 'Layer 1', kind: 'full', layers: [0] }],
    documents,
    heads: [{ layer: 0, head: 0, kind: 'full', zones, previous: 0.1, entropy: 1, copy: 0.5, type: 'retrieval', retrieval: true }],
    citations: [{ number: 1, claim, grade: 'attended', passage, alignment: 0, drop: 2.5 }],
  };
}

/** What is recorded of a token while it is written: it looks at the first of two blocks. */
export function scriptedAttention(prompt: Inspect['prompt'], token: number): { view: LiveView | null; rows: LiveRows } {
  const documents = prompt.documents.map(({ id, name }) => ({ documentId: id, name, firstToken: 1, tokens: 4, blockTokens: 2, blockStarts: [0, 8, 17] }));
  const view = { promptTokens: 10, heads: [{ layer: 0, head: 0 }], groups: [{ name: 'Layer 1', kind: 'full' as const, layers: [0], heads: 1 }], documents };
  return { view: token === 0 ? view : null, rows: { first: token, zones: [[zones]], blocks: documents.map(() => Buffer.from(Uint16Array.of(32_768, 0).buffer).toString('base64')) } };
}
