/** Looking inside an answer: what it attended to, what it cites, and tiles of its attention. */
import * as z from 'zod';
import { failure, identifier } from './entities.ts';

const count = z.number().int().nonnegative();
const share = z.number();

export const inspectedHead = z.object({ layer: count, head: count });
/** `retrieval`: the heads that copy from the document; `all`: those of all layers. */
export const headChoice = z.union([z.literal('retrieval'), z.literal('all'), z.array(inspectedHead).min(1).max(4096)]);
export type HeadChoice = z.infer<typeof headChoice>;

/** Shares of attention that add up to 1: first tokens, the latest, the documents, the rest of the prompt. */
export const zones = z.object({ sinks: share, recent: share, document: share, other: share });
export type Zones = z.infer<typeof zones>;

export const headType = z.enum(['sink', 'previous', 'local', 'retrieval', 'document', 'uniform', 'mixed']);
export type HeadType = z.infer<typeof headType>;

/** Means over the answer's tokens. */
export const headStatistics = inspectedHead.extend({
  kind: z.enum(['full', 'sliding']),
  zones,
  /** To the token before; part of recent. */
  previous: share,
  /** In nats. */
  entropy: z.number(),
  /** How much of its largest weight in the document falls on the very token that the model then writes. */
  copy: share,
  type: headType,
  /** Whether it counts as a retrieval head of this model. */
  retrieval: z.boolean(),
});
export type HeadStatistics = z.infer<typeof headStatistics>;

/** Characters [start, end) of the answer's text, and the position of the row that wrote it. */
export const evidenceToken = z.object({
  start: count,
  end: count,
  position: count,
  /** In nats. */
  logprob: z.number(),
  /** All heads of each layer group, in the groups' order. */
  zones: z.array(zones),
});
export type EvidenceToken = z.infer<typeof evidenceToken>;

export const layerGroup = z.object({ name: z.string(), kind: z.enum(['full', 'sliding']), layers: z.array(count) });
export type LayerGroup = z.infer<typeof layerGroup>;

/** A document of the prompt, cut into blocks of as many tokens. */
export const evidenceDocument = z.object({
  documentId: z.string(),
  name: z.string(),
  /** Position of its first token in the prompt, and how many it has. */
  firstToken: count,
  tokens: count,
  blockTokens: z.number().int().positive(),
  /** Where each block begins in the document's text; one more for its end. */
  blockStarts: z.array(count),
  /** Attention of the retrieval heads to each block: [answer tokens][blocks] f32, base64. Sums over all keys would be 1. */
  blocks: z.string(),
});
export type EvidenceDocument = z.infer<typeof evidenceDocument>;

/** A stretch of a document's text that a claim's tokens attended to. */
export const passage = z.object({
  documentId: z.string(),
  start: count,
  end: count,
  /** Of the retrieval heads' attention to the documents. */
  share: share,
});
export type Passage = z.infer<typeof passage>;

export const citationGrade = z.enum(['verified', 'attended', 'none']);
export type CitationGrade = z.infer<typeof citationGrade>;

export const citation = z.object({
  /** Counted from 1 among those with a source; null without one. */
  number: z.number().int().positive().nullable(),
  /** Characters of the answer. */
  claim: z.object({ start: count, end: count }),
  grade: citationGrade,
  passage: passage.nullable(),
  /** Words of the claim that are in the passage, as a share of those that the question did not hold already. */
  alignment: share,
  /** By how many nats the claim's log-probability falls when the passage is taken out; null where that was not tried. */
  drop: z.number().nullable(),
});
export type Citation = z.infer<typeof citation>;

export const answerEvidence = z.object({
  version: z.literal(1),
  promptTokens: count,
  /** Tokens of the answer that were looked at, and how many it has. */
  tokens: z.array(evidenceToken),
  answerTokens: count,
  groups: z.array(layerGroup),
  documents: z.array(evidenceDocument),
  heads: z.array(headStatistics),
  citations: z.array(citation),
});
export type AnswerEvidence = z.infer<typeof answerEvidence>;

export const evidenceState = z.object({
  /** `waiting`: until nobody waits for an answer. `none`: nothing to look at, `failure` says why if something went wrong. */
  state: z.enum(['ready', 'waiting', 'working', 'none']),
  evidence: answerEvidence.nullable(),
  failure: failure.nullable(),
});
export type EvidenceState = z.infer<typeof evidenceState>;

const buckets = z.object({ from: count, to: z.number().int().positive(), perBucket: z.number().int().positive() });
export const tileRequest = z
  .object({
    messageId: identifier,
    heads: headChoice,
    /** Tokens of the answer, from 0. */
    rows: buckets,
    /** Positions of the prompt and the answer. */
    keys: buckets,
    /** By the queries that the answer had when it was decoded, with its policy; else by those of full attention. */
    asDecoded: z.literal(true).optional(),
  })
  .strict();
export type TileRequest = z.infer<typeof tileRequest>;

export const tile = z.object({
  rows: count,
  columns: count,
  /** How many heads were summed: all keys of a row add up to it. */
  heads: count,
  /** [rows][columns] f32, f32 and u32, base64: summed weights, the largest single weight, its position. */
  sums: z.string(),
  peaks: z.string(),
  peakKeys: z.string(),
  cached: z.boolean(),
});
export type Tile = z.infer<typeof tile>;

/** The prompt by itself: any of its tokens by any before them. Rows are computed again, which takes as long as reading them. */
export const triangleRequest = z
  .object({
    messageId: identifier,
    heads: headChoice,
    rows: buckets,
    keys: buckets,
  })
  .strict();
export type TriangleRequest = z.infer<typeof triangleRequest>;

/** Attention along a document, token by token. */
export const profileRequest = z.object({ messageId: identifier, documentId: identifier, heads: headChoice, rows: buckets.pick({ from: true, to: true }) }).strict();
export type ProfileRequest = z.infer<typeof profileRequest>;

export const profile = z.object({
  tokens: count,
  /** Where each token begins in the document's text, u32, and its weight, f32: a mean over rows and heads; base64. */
  starts: z.string(),
  weights: z.string(),
});
export type Profile = z.infer<typeof profile>;

export const ablation = z.object({
  /** Log-probability of each of the answer's tokens, in nats, with the passage and without it. */
  before: z.array(z.number()),
  after: z.array(z.number()),
});
export type Ablation = z.infer<typeof ablation>;

/** One step of the answer, decoded once more by the policy; sums over layers and KV heads. */
export const retrievalStep = z.object({
  /** Keys beyond the GPU that the policy chose, of these there already, and fetched. */
  chosen: count,
  hits: count,
  fetched: count,
  ramReadBytes: count,
  diskReadBytes: count,
  /** Until it was known what to fetch, and until it was on its way to the GPU. */
  waitMs: z.number(),
  fetchMs: z.number(),
  /** Of as many best keys, those chosen; full attention's weight on what was attended to exactly. null where not sampled. */
  recall: share.nullable(),
  mass: share.nullable(),
});
export type RetrievalStep = z.infer<typeof retrievalStep>;

/** Of a document, in the blocks of `EvidenceDocument`; base64 f32, one a block. */
export const retrievalDocument = z.object({
  documentId: z.string(),
  /** Of the block's tokens, those beyond the GPU's rings; the rest is always attended to. */
  far: z.string(),
  /** Shares of sampled steps, layers and KV heads: chosen, among the best; full attention's weight that was missed. */
  returned: z.string(),
  best: z.string(),
  missed: z.string(),
  /** Shares of the block's keys by where they lie after the answer; together 1. */
  onGpu: z.string(),
  inRam: z.string(),
  onDisk: z.string(),
});
export type RetrievalDocument = z.infer<typeof retrievalDocument>;

export const retrieval = z.object({
  policy: z.string(),
  /** Tokens before this position are beyond the GPU's rings; 0 where everything is on the GPU. */
  sealedTokens: count,
  sampledSteps: z.number().nonnegative(),
  steps: z.array(retrievalStep),
  documents: z.array(retrievalDocument),
});
export type Retrieval = z.infer<typeof retrieval>;
