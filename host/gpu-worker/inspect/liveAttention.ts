/** Tells what a few heads attend to while an answer is written: engine/inspect/attentionRecorder.ts in terms of documents. */
import { AttentionRecorder, type RecordedRow } from '../../../engine/inspect/attentionRecorder.ts';
import type { InspectedHead } from '../../../engine/inspect/inspection.ts';
import type { WatchedPart } from '../../../engine/inspect/watchKernels.ts';
import type { ComposedPrompt } from '../../../engine/prompt/composePrompt.ts';
import { sinkTokens } from '../../../engine/retrieval/layout.ts';
import type { Zones } from '../../contract/inspection.ts';
import type { LiveRows, LiveView } from '../../contract/liveAttention.ts';
import type { ActiveModel } from '../activeModel.ts';
import type { JobContext } from '../gpuWorker.ts';
import type { ChatPrompt } from '../protocol.ts';
import { layerGroups } from './headStatistics.ts';
import { endOfText, type InspectedDocument, placeDocuments } from './inspectedAnswer.ts';
import { blockTokensOf } from './retrievalBlocks.ts';
import { RetrievalHeads } from './retrievalHeads.ts';
import { chooseWatchedHeads, costsOfStep, type WatchedHeads } from './watchedHeads.ts';

/** Keys outside of documents are looked at in parts of so many. */
const otherPartTokens = 64;
const allOfIt = 65_535;

export interface LiveTurn {
  prompt: ChatPrompt;
  composed: ComposedPrompt;
  maxTokens: number;
}

export class LiveAttention {
  readonly #recorder: AttentionRecorder;
  readonly #promptTokens: number;

  private constructor(recorder: AttentionRecorder, promptTokens: number) {
    this.#recorder = recorder;
    this.#promptTokens = promptTokens;
  }

  /**
   * To be opened before the prompt is read. null where there is nothing to tell: no document, no layer that attends, or
   * keys beyond the GPU. Whatever fails here is no reason not to answer.
   */
  static async open(model: ActiveModel, { prompt, composed, maxTokens }: LiveTurn, context: JobContext, cacheFolder: string): Promise<LiveAttention | null> {
    const { runner, spec, contextTokens } = model.loaded;
    const promptTokens = composed.tokens.length;
    const end = Math.min(contextTokens, promptTokens + maxTokens);
    if (prompt.documents.length === 0 || (runner.far?.farTokensAt(end) ?? 0) > 0) return null;
    const step = costsOfStep(runner, { rows: 1, position: promptTokens }, context.device.facts.kind);
    const watched = chooseWatchedHeads(spec, new RetrievalHeads(cacheFolder, model.fingerprint).strongest(), { keys: promptTokens, step });
    if (!watched) return null;
    const documents = await placeDocuments(model, prompt, composed);
    const layout = layOut(documents, end);
    const view = viewOf(model, documents, watched, promptTokens);
    let toldView = false;
    const recorder = await AttentionRecorder.open(context.device, runner, model.readback, {
      heads: watched.all,
      chosen: (head) => watched.fetching.includes(head),
      parts: layout.parts,
      firstPosition: promptTokens - 1,
      onRows: (rows) => {
        context.send({ kind: 'attention', jobId: context.jobId, view: toldView ? null : view, rows: rowsOf(rows, view, recorder.heads, layout) });
        toldView = true;
      },
    });
    return new LiveAttention(recorder, promptTokens);
  }

  stepped(position: number): void {
    this.#recorder.stepped(position);
  }

  /** Of an answer with so many tokens. */
  finish(answerTokens: number): Promise<void> {
    return this.#recorder.finish(this.#promptTokens + answerTokens - 1);
  }

  close(): void {
    this.#recorder.close();
  }
}

interface Layout {
  parts: WatchedPart[];
  /** By document and block: the parts that it consists of. */
  blocks: number[][][];
}

/** Blocks of documents, and what is before, between and behind them, up to where the answer may end. */
function layOut(documents: readonly InspectedDocument[], end: number): Layout {
  const parts: WatchedPart[] = [];
  const [first, last] = [documents[0], documents[documents.length - 1]];
  const [from, to] = [first.firstToken, last.firstToken + last.starts.length];
  /** Returns the places of the parts. */
  const add = (begin: number, stop: number, mostTokens: number): number[] => {
    const places: number[] = [];
    for (let at = begin; at < stop; ) {
      const next = Math.min(stop, at + mostTokens, at < sinkTokens ? sinkTokens : Infinity);
      places.push(parts.push({ begin: at, end: next, zone: at < sinkTokens ? 'sinks' : at >= from && at < to ? 'document' : 'other' }) - 1);
      at = next;
    }
    return places;
  };
  let done = 0;
  const blocks = documents.map((document) => {
    const { firstToken, starts } = document;
    const blockTokens = blockTokensOf(document);
    add(done, firstToken, otherPartTokens);
    done = firstToken + starts.length;
    return Array.from({ length: Math.ceil(starts.length / blockTokens) }, (_, block) => {
      const begin = firstToken + block * blockTokens;
      return add(begin, Math.min(done, begin + blockTokens), blockTokens);
    });
  });
  add(done, end, otherPartTokens);
  return { parts, blocks };
}

function viewOf({ loaded: { spec } }: ActiveModel, documents: readonly InspectedDocument[], { fetching, all }: WatchedHeads, promptTokens: number): LiveView {
  return {
    promptTokens,
    heads: fetching,
    groups: layerGroups(spec).flatMap((group) => {
      const heads = all.filter(({ layer }) => group.layers.includes(layer)).length;
      return heads > 0 ? [{ ...group, heads }] : [];
    }),
    documents: documents.map((document) => {
      const { id, name, firstToken, starts } = document;
      const blockTokens = blockTokensOf(document);
      const blockStarts = Array.from({ length: Math.ceil(starts.length / blockTokens) }, (_, block) => starts[block * blockTokens]);
      return { documentId: id, name, firstToken, tokens: starts.length, blockTokens, blockStarts: [...blockStarts, endOfText(document, starts.length)] };
    }),
  };
}

function rowsOf(rows: readonly RecordedRow[], { groups, promptTokens }: LiveView, heads: readonly InspectedHead[], { blocks }: Layout): LiveRows {
  const ofGroup = groups.map(({ layers }) => heads.flatMap(({ layer }, index) => (layers.includes(layer) ? [index] : [])));
  return {
    first: rows[0].position - (promptTokens - 1),
    zones: rows.map(({ zones }) => ofGroup.map((indices) => meanZones(zones, indices))),
    blocks: blocks.map((ofDocument) => {
      const shares = Uint16Array.from(rows.flatMap((row) => ofDocument.map((places) => Math.round(allOfIt * Math.min(1, places.reduce((sum, place) => sum + row.shares[place], 0))))));
      return Buffer.from(shares.buffer).toString('base64');
    }),
  };
}

/** Four digits say more than a bar of a few pixels shows. */
function meanZones(zones: Float32Array, heads: readonly number[]): Zones {
  const mean = (zone: number): number => Math.round((1e4 * heads.reduce((sum, head) => sum + zones[4 * head + zone], 0)) / heads.length) / 1e4;
  return { sinks: mean(0), recent: mean(1), document: mean(2), other: mean(3) };
}
