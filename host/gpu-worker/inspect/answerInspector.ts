/** Looks into one answer at a time; the answer that was looked at last stays open until something else is computed. */
import { type AttentionTile, type InspectedHead, Inspection, type InspectionParts } from '../../../engine/inspect/inspection.ts';
import { causalTile } from '../../../engine/inspect/causalTile.ts';
import { answerLogprobs } from '../../../engine/inspect/ablation.ts';
import { replayRetrieval } from '../../../engine/inspect/retrievalReplay.ts';
import type { AnswerEvidence, EvidenceDocument, HeadChoice, HeadStatistics, Profile, ProfileRequest, Retrieval, TileRequest } from '../../contract/inspection.ts';
import { attentionHeads } from '../../../engine/models/spec.ts';
import { defaultPolicySetting, type PolicySetting } from '../../contract/policy.ts';
import { HostError } from '../../errors.ts';
import type { ActiveModel } from '../activeModel.ts';
import type { JobContext } from '../gpuWorker.ts';
import type { ChatPrompt, Keeping } from '../protocol.ts';
import { readPrompt } from '../readPrompt.ts';
import { citeClaims, massOf, tokensBetween } from './claims.ts';
import { headStatisticsOf, layerGroups, type RowStatistics, zonesOf } from './headStatistics.ts';
import { composeAnswer, endOfText, type InspectedAnswer, type InspectedDocument } from './inspectedAnswer.ts';
import { RetrievalHeads } from './retrievalHeads.ts';
import { blockTokensOf, retrievalOf } from './retrievalBlocks.ts';

export interface InspectedTurn {
  prompt: ChatPrompt;
  answer: string;
  keeping?: Keeping;
}

/** Steps of an answer that are compared with full attention: each costs a pass over all keys on the processor. */
const sampledSteps = 4;

interface OpenAnswer {
  key: string;
  asked: InspectedAnswer;
  inspection: Inspection;
  looked: { statistics: RowStatistics; heads: HeadStatistics[] } | null;
}

export class AnswerInspector {
  readonly #model: ActiveModel;
  readonly #heads: RetrievalHeads;
  #open: OpenAnswer | null = null;

  constructor(model: ActiveModel, cacheFolder: string) {
    this.#model = model;
    this.#heads = new RetrievalHeads(cacheFolder, model.fingerprint);
  }

  /** To be called before anything else is computed. */
  close(): void {
    this.#open?.inspection.free();
    this.#open = null;
  }

  async evidence(turn: InspectedTurn, context: JobContext): Promise<AnswerEvidence> {
    const { signal } = context;
    const open = await this.#opened(turn, context);
    const { asked, inspection } = open;
    const { spec } = this.#model.loaded;
    const { statistics, heads } = await this.#look(open, signal);
    const chosen = heads.filter(({ retrieval }) => retrieval);
    const documents: EvidenceDocument[] = [];
    for (const document of asked.documents) documents.push(await evidenceOf(inspection, document, chosen, signal));
    const groups = layerGroups(spec);
    const tokens = Array.from({ length: inspection.rows }, (_, row) => ({
      start: asked.answerStarts[row],
      end: asked.answerStarts[row + 1],
      position: inspection.firstRow + row,
      logprob: inspection.logprobs[row],
      zones: groups.map(({ layers }) => zonesOf(statistics, layers, row, spec)),
    }));
    const citations = asked.documents.length > 0 ? await citeClaims(this.#parts(context), inspection, { asked, question: turn.prompt.question, answer: turn.answer, heads: chosen, signal }) : [];
    this.#heads.note(heads);
    // Passages were taken out: what is open is not valid any more.
    this.close();
    return { version: 1, promptTokens: asked.promptTokens, tokens, answerTokens: asked.answerTokens, groups, documents, heads, citations };
  }

  async tile(turn: InspectedTurn, { heads, rows, keys, asDecoded }: Pick<TileRequest, 'heads' | 'rows' | 'keys'> & { asDecoded?: PolicySetting }, context: JobContext): Promise<{ tile: AttentionTile; heads: number }> {
    const open = await this.#opened(turn, context, asDecoded);
    const { inspection } = open;
    const chosen = await this.#chosen(open, heads, context.signal);
    const shape = {
      firstRow: Math.min(rows.from, inspection.rows - 1),
      endRow: Math.min(rows.to, inspection.rows),
      rowsPerBucket: rows.perBucket,
      fromKey: Math.min(keys.from, inspection.keys - 1),
      toKey: Math.min(keys.to, inspection.keys),
      keysPerBucket: keys.perBucket,
    };
    if (shape.firstRow >= shape.endRow || shape.fromKey >= shape.toKey) throw new HostError('bad-request', 'This part of the map is empty.', 'Look at another one.');
    return { tile: await inspection.tile(chosen, shape, context.signal), heads: chosen.length };
  }

  /** A part of the prompt's own attention. */
  async triangle(turn: InspectedTurn, { heads, rows, keys }: Pick<TileRequest, 'heads' | 'rows' | 'keys'>, context: JobContext): Promise<{ tile: AttentionTile; heads: number }> {
    const open = await this.#opened(turn, context);
    const chosen = await this.#chosen(open, heads, context.signal);
    const { tokens, promptTokens } = open.asked;
    const shape = { firstRow: rows.from, endRow: Math.min(rows.to, promptTokens), rowsPerBucket: rows.perBucket, fromKey: keys.from, toKey: Math.min(keys.to, promptTokens), keysPerBucket: keys.perBucket };
    if (shape.firstRow >= shape.endRow || shape.fromKey >= shape.toKey) throw new HostError('bad-request', 'This part of the triangle is empty.', 'Look at another one.');
    // Rows are read again: what is open is not valid any more.
    this.close();
    const tile = await causalTile(this.#parts(context), { tokens, heads: chosen, shape, signal: context.signal, onProgress: (done, total) => context.progress('measuring', done, total) });
    return { tile, heads: chosen.length };
  }

  /** Attention along a document, token by token. */
  async profile(turn: InspectedTurn, { documentId, heads, rows }: Pick<ProfileRequest, 'documentId' | 'heads' | 'rows'>, context: JobContext): Promise<Profile> {
    const open = await this.#opened(turn, context);
    const { asked, inspection } = open;
    const document = asked.documents.find(({ id }) => id === documentId);
    if (!document) throw new HostError('inspection-unavailable', 'The answer did not see this document.', 'Choose a document that the chat has.');
    const chosen = await this.#chosen(open, heads, context.signal);
    const firstRow = Math.min(rows.from, inspection.rows - 1);
    const endRow = Math.max(firstRow + 1, Math.min(rows.to, inspection.rows));
    const sums = await massOf(inspection, document, { firstRow, endRow }, chosen, context.signal);
    const weights = sums.map((sum) => sum / (chosen.length * (endRow - firstRow)));
    const base64 = ({ buffer }: Float32Array | Uint32Array): string => Buffer.from(buffer as ArrayBuffer).toString('base64');
    return { tokens: sums.length, starts: base64(Uint32Array.from(document.starts)), weights: base64(weights) };
  }

  /** The answer's steps once more, by the policy. */
  async retrieval(turn: InspectedTurn, { policy }: { policy?: PolicySetting }, context: JobContext): Promise<Retrieval> {
    const { asked } = await this.#opened(turn, context);
    this.close();
    const parts = this.#parts(context);
    if (parts.runner.far) parts.runner.far.policy = policy ?? defaultPolicySetting;
    const replay = await replayRetrieval(parts, { tokens: asked.tokens, firstRow: asked.promptTokens - 1, samples: sampledSteps, signal: context.signal });
    return retrievalOf(replay, asked.documents);
  }

  /** The answer's log-probabilities with a passage of a document and without it. */
  async ablate(turn: InspectedTurn, passage: { documentId: string; start: number; end: number }, context: JobContext): Promise<{ before: number[]; after: number[] }> {
    const { asked } = await this.#opened(turn, context);
    const document = asked.documents.find(({ id }) => id === passage.documentId);
    const taken = document && tokensBetween(document, passage.start, passage.end);
    if (!taken) throw new HostError('inspection-unavailable', 'The answer did not see this passage.', 'Choose a passage of a document that the chat has.');
    this.close();
    const inputs = { tokens: asked.tokens, rescoreFrom: asked.documentsEnd, answerFrom: asked.promptTokens, signal: context.signal };
    const parts = this.#parts(context);
    return { before: await answerLogprobs(parts, { ...inputs, passage: null }), after: await answerLogprobs(parts, { ...inputs, passage: taken }) };
  }

  #parts({ device }: JobContext): InspectionParts {
    const { loaded, readback } = this.#model;
    return { device, runner: loaded.runner, sequence: loaded.sequence, readback };
  }

  /** `asDecoded`: rows attend as they did when they were written, by this policy; else to everything. */
  async #opened(turn: InspectedTurn, context: JobContext, asDecoded?: PolicySetting): Promise<OpenAnswer> {
    const key = JSON.stringify([turn.prompt, turn.answer, asDecoded]);
    if (this.#open?.key === key) return this.#open;
    this.close();
    const { runner } = this.#model.loaded;
    const asked = await composeAnswer(this.#model, turn, context, Inspection.mostRows(runner));
    const { tokens, promptTokens } = asked;
    const keeping = turn.keeping && { ...turn.keeping, onlyUse: true as const };
    await readPrompt(this.#model, { tokens: tokens.slice(0, promptTokens - 1), documents: asked.ends }, { keeping, mustKeep: false, context });
    if (runner.far && asDecoded) runner.far.policy = asDecoded;
    const inspection = await Inspection.open(this.#parts(context), { tokens, firstRow: promptTokens - 1, asDecoding: asDecoded !== undefined, signal: context.signal });
    this.#open = { key, asked, inspection, looked: null };
    return this.#open;
  }

  async #look(open: OpenAnswer, signal: AbortSignal): Promise<{ statistics: RowStatistics; heads: HeadStatistics[] }> {
    if (open.looked) return open.looked;
    const { asked, inspection } = open;
    const { spec } = this.#model.loaded;
    const written = asked.tokens.slice(asked.promptTokens);
    const telling = written.map((token) => /[\p{L}\p{N}]{2}|\p{N}/u.test(this.#model.tokenizer.decode([token])));
    const statistics = await inspection.rowStatistics(documentRange(asked), signal);
    const heads = headStatisticsOf(statistics, spec, { tokens: asked.tokens, written, telling });
    open.looked = { statistics, heads: this.#heads.mark(heads) };
    return open.looked;
  }

  async #chosen(open: OpenAnswer, choice: HeadChoice, signal: AbortSignal): Promise<InspectedHead[]> {
    if (choice === 'retrieval') return (await this.#look(open, signal)).heads.filter(({ retrieval }) => retrieval);
    const { blocks } = this.#model.loaded.spec;
    if (choice === 'all') return blocks.flatMap(({ mixer }, layer) => Array.from({ length: attentionHeads(mixer) }, (_, head) => ({ layer, head })));
    const foreign = choice.find(({ layer, head }) => !blocks[layer] || head >= attentionHeads(blocks[layer].mixer));
    if (foreign) throw new HostError('bad-request', `The model has no head ${foreign.head + 1} in layer ${foreign.layer + 1}.`, 'Choose another head.');
    return choice;
  }
}

function documentRange({ documents }: InspectedAnswer): { fromKey: number; toKey: number } {
  const first = documents[0];
  const last = documents.at(-1);
  return first && last ? { fromKey: first.firstToken, toKey: last.firstToken + last.starts.length } : { fromKey: 0, toKey: 0 };
}

async function evidenceOf(inspection: Inspection, document: InspectedDocument, heads: readonly InspectedHead[], signal: AbortSignal): Promise<EvidenceDocument> {
  const { id, name, firstToken, starts } = document;
  const blockTokens = blockTokensOf(document);
  const { sums, columns } = await inspection.tile(heads, { firstRow: 0, endRow: inspection.rows, rowsPerBucket: 1, fromKey: firstToken, toKey: firstToken + starts.length, keysPerBucket: blockTokens }, signal);
  const blockStarts = Array.from({ length: columns }, (_, block) => starts[block * blockTokens]);
  const shares = sums.map((sum) => sum / heads.length);
  return { documentId: id, name, firstToken, tokens: starts.length, blockTokens, blockStarts: [...blockStarts, endOfText(document, starts.length)], blocks: Buffer.from(shares.buffer).toString('base64') };
}
