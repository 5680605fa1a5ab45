/**
 * Brings a prompt into the loaded model: what a memory holds of it comes from disk, the rest is read, and kept while it
 * is read.
 */
import { Keeper, keptSnapshotTokens } from '../../engine/kept/keeper.ts';
import { KeptVectors } from '../../engine/kept/keptVectors.ts';
import { keptRunsOf, restore, usableSegments } from '../../engine/kept/restore.ts';
import type { KeptSegment } from '../../engine/ports.ts';
import { makeProbe, probeDifference, probePart, probeTolerance } from '../../engine/kept/probe.ts';
import { KvCache } from '../../engine/kv/cache.ts';
import { isCancelled, toFailure } from '../errors.ts';
import type { Runner } from '../../engine/runner.ts';
import type { Failure, SparselyRead } from '../contract/entities.ts';
import { MemoryMismatchError } from '../memories/failures.ts';
import type { ActiveModel } from './activeModel.ts';
import type { JobContext } from './gpuWorker.ts';
import { type DocumentEnd, keptPath, MemorySink } from './memories.ts';
import type { Keeping } from './protocol.ts';

export interface PromptToRead {
  tokens: readonly number[];
  documents: readonly DocumentEnd[];
}

export interface ReadPrompt {
  /** Tokens that were not computed again, and of these what came from disk. */
  reusedTokens: number;
  keptTokens: number;
  /** Why what was read is not kept, when it should be. */
  notKept: Failure | null;
  sparselyRead: SparselyRead | null;
  /** The last segment that is kept of the prompt. */
  leaf: string | null;
  /** Keeps what the sequence has grown to since; does nothing where nothing is kept. */
  keepTurn(): void;
}

/** Below this, reading again is as quick as fetching. */
const worthFetchingTokens = 64;

/** With `mustKeep` a full disk or quota ends the reading; else it goes on, and says so. */
export async function readPrompt(
  model: ActiveModel,
  { tokens, documents }: PromptToRead,
  { keeping, mustKeep, context }: { keeping: Keeping | undefined; mustKeep: boolean; context: JobContext },
): Promise<ReadPrompt> {
  const { runner, sequence } = model.loaded;
  const lastEnd = documents.at(-1)?.end ?? 0;
  runner.takeReadingTally();
  let older = await model.endKeeping();
  const memory = keeping ? await openMemory(model, tokens, keeping, documents, context) : null;
  if (memory && mustKeep && runner.keepsStates && memory.path.tokens === tokens.length && endOf(usableSegments(runner, memory.path.segments)) === tokens.length) {
    // States cannot go back by the token that would be computed again, and nobody asks what comes after it.
    await memory.store.verifyOpen(memory.path.keys[memory.path.keys.length - 1]);
    await memory.sink.holdRead(memory.path);
    return { reusedTokens: tokens.length, keptTokens: tokens.length, notKept: null, sparselyRead: sparselyReadOf(runner, lastEnd), leaf: memory.sink.leaf, keepTurn: () => undefined };
  }
  const usable = memory ? usableSegments(runner, memory.path.segments, tokens.length) : [];
  const usableTokens = endOf(usable);
  let sharedTokens = sequence.reusable(tokens);
  let keptTokens = 0;
  if (memory && usableTokens > sharedTokens + worthFetchingTokens) {
    const leaf = memory.path.keys[usable.length - 1];
    // The tail and every manifest are checked before anything is trusted; blocks whenever they are read.
    await memory.store.verifyOpen(leaf);
    await restore(context.device, model.loaded, tokens, usable, { growing: memory.keeps });
    await compareProbe(model, usable, memory.path.keys);
    sharedTokens = sequence.reusable(tokens);
    keptTokens = sharedTokens;
    older = { segments: usable, tokens: usableTokens };
    await memory.store.markUsed(leaf);
  }
  older = { segments: older.segments, tokens: Math.min(older.tokens, sharedTokens) };

  let notKept: Failure | null = null;
  let keeper: Keeper | null = null;
  const whileKeeping = async (work: () => Promise<void>): Promise<void> => {
    try {
      await work();
    } catch (error) {
      const failure = toFailure(error);
      if (mustKeep || (failure.code !== 'disk-full' && failure.code !== 'memory-quota-full')) throw error;
      notKept = failure;
      keeper = null;
    }
  };
  if (memory?.keeps) {
    await whileKeeping(async () => {
      const moreTokens = Math.max(0, (memory.keepsTurns ? tokens.length : lastEnd) - memory.path.tokens);
      await memory.store.ensureRoom(moreTokens * model.keptBytesPerToken);
      await memory.sink.holdRead(memory.path);
      keeper = new Keeper(context.device, model.loaded, memory.sink, { path: memory.path.segments, older: older.segments, sharedTokens: older.tokens });
      model.keep(keeper);
    });
  }
  if (!keeper) {
    runner.far?.store.keep(keptRunsOf(runner, new KeptVectors(older.segments)), { tokens: older.tokens, growing: false });
    model.setReadable(older.segments, older.tokens);
  }
  const ends = new Set(documents.map(({ end }) => end));
  const note = (): Promise<void> =>
    whileKeeping(async () => {
      if (sequence.length <= lastEnd || memory?.keepsTurns) await keeper?.note({ ends: ends.has(sequence.length) });
    });
  const { reusedTokens } = await sequence
    .extend(tokens, {
      signal: context.signal,
      checkpointsAt: documents.map(({ end }) => end),
      // What a memory's probe is compared with is one row, which is never read sparsely.
      sparseBefore: runner.far ? lastEnd : lastEnd - 1,
      stopsEvery: keeper && runner.keepsStates ? keptSnapshotTokens : undefined,
      onProgress: (done, total) => context.progress('reading', tokens.length - total + done, tokens.length),
      onChunk: note,
    })
    .catch((error: unknown) => {
      // Whoever stops need not wait until what was read so far is durable; whoever goes on does.
      const stopped = keeper as Keeper | null;
      const mayKeep = stopped && isCancelled(error) && (sequence.length <= lastEnd || memory?.keepsTurns);
      if (mayKeep && sequence.length >= stopped.keptTokens + worthFetchingTokens) model.keep(stopped, stopped.note({ ends: true }));
      throw error;
    });
  if (mustKeep) {
    const reader = keeper as Keeper | null;
    await reader?.settled();
    if (reader?.keptTokens === tokens.length) await memory?.sink.addProbe(makeProbe(await lastLogits(model)));
  }
  const kept = keeper as Keeper | null;
  return {
    reusedTokens,
    keptTokens: Math.min(keptTokens, reusedTokens),
    notKept,
    sparselyRead: sparselyReadOf(runner, lastEnd),
    leaf: memory?.sink.leaf ?? null,
    keepTurn: () => {
      if (kept && memory?.keepsTurns) model.keep(kept, kept.note({ ends: true }));
    },
  };
}

/** Of documents that end at `end`. */
function sparselyReadOf(runner: Runner, end: number): SparselyRead | null {
  const { sparseReading } = runner;
  const tally = runner.takeReadingTally();
  if (!sparseReading || end <= sparseReading.fromTokens) return null;
  return { ...sparseReading, tokens: end - sparseReading.fromTokens, skippedShare: tally && tally.rows > 0 ? tally.skippedShare : null };
}

function lastLogits({ readback, loaded }: ActiveModel): Promise<Float32Array> {
  return readback.floats(loaded.runner.logits, 0, loaded.spec.vocabularySize);
}

/**
 * Computes the last token that was restored once more and compares what follows with what was said when it was read.
 * Not where keys lie beyond the GPU: there one exact step costs as much as reading all of them; nor where a layer keeps
 * a state, which has seen that token.
 */
async function compareProbe(model: ActiveModel, segments: readonly KeptSegment[], keys: readonly string[]): Promise<void> {
  const { runner, sequence } = model.loaded;
  const last = segments.at(-1);
  const sizeBytes = last?.parts.get(probePart);
  if (!last || !sizeBytes || runner.far || runner.keepsStates) return;
  const [probe] = await last.read([{ part: probePart, offsetBytes: 0, lengthBytes: sizeBytes }]);
  await sequence.extend([...sequence.tokens]);
  const difference = probeDifference(probe, await lastLogits(model));
  const format = runner.caches.every((cache) => cache instanceof KvCache && cache.layout.format === 'f32') ? 'f32' : 'f16';
  if (!(difference <= probeTolerance(format))) throw new MemoryMismatchError(keys, difference);
}

function endOf(segments: readonly KeptSegment[]): number {
  const last = segments.at(-1);
  return last ? last.position + last.tokenCount : 0;
}

async function openMemory(model: ActiveModel, tokens: readonly number[], keeping: Keeping, documents: readonly DocumentEnd[], context: JobContext) {
  const store = await context.memories.store(keeping.folder).catch((error: unknown) => {
    // Whoever only wants to use what is kept can do without.
    if (keeping.onlyUse && toFailure(error).code === 'data-folder-in-use') return null;
    throw error;
  });
  if (!store) return null;
  const path = keptPath(store, model.fingerprint, tokens);
  const sink = new MemorySink(store, model.fingerprint, keeping, documents, path.keys.at(-1) ?? null);
  return { store, path, sink, keeps: !keeping.onlyUse, keepsTurns: keeping.conversation !== null };
}
