/** Begins a sequence with what was kept: keys and values go back into the caches, nothing is computed again. */
import type { Device } from '../device/device.ts';
import { KvCache } from '../kv/cache.ts';
import { indexRanges } from '../kv/tiers/indexRanges.ts';
import type { KvLayout } from '../layers/attention/layout.ts';
import type { KeptSegment } from '../ports.ts';
import { StateCache } from '../layers/recurrent/stateCache.ts';
import type { Runner } from '../runner.ts';
import type { Sequence } from '../sequence.ts';
import { cacheRuns, rowBytesOf } from './cacheRuns.ts';
import { KeptRuns } from './keptRuns.ts';
import { KeptVectors } from './keptVectors.ts';
import { indexPart, keysPart, statePart, windowKeysPart, windowValuesPart } from './parts.ts';

/**
 * The segments that the model's layers can begin with: every part must be there that they look back on. A prompt of
 * `promptTokens` is computed from its last token on at the latest, which a state must not have seen.
 */
export function usableSegments(runner: Runner, segments: readonly KeptSegment[], promptTokens = Infinity): readonly KeptSegment[] {
  for (let count = segments.length; count > 0; count--) {
    const length = segments[count - 1].position + segments[count - 1].tokenCount;
    const complete = runner.caches.every((cache, block) => {
      const some = segments.slice(0, count);
      if (cache instanceof StateCache) return length < promptTokens && segments[count - 1].parts.get(statePart(block)) === cache.sizeBytes;
      if (cache instanceof KvCache && cache.windowTokens !== null) return windowFrom(cache, block, some) <= Math.max(0, length - cache.windowTokens);
      return some.every(({ parts }) => parts.has(keysPart(block)));
    });
    if (complete) return segments.slice(0, count);
  }
  return [];
}

/** The shape in which the far layers' store reads kept vectors; null when nothing is far. */
export function keptRunsOf(runner: Runner, vectors: KeptVectors): KeptRuns | null {
  const { far } = runner;
  if (!far) return null;
  const { kvHeads, segmentTokens } = far.plan.layout;
  return new KeptRuns(vectors, { kvHeads, segmentTokens, recordBytes: 4 * far.words, blocks: far.layers.map(({ memory }) => runner.caches.indexOf(memory)) });
}

export interface RestoreOptions {
  /** More segments will be kept while the sequence grows. */
  growing: boolean;
}

/**
 * `segments` must be usable and hold the first of `tokens`; the sequence then has just these. Nothing is left of it
 * when a segment cannot be read.
 */
export async function restore(
  device: Device,
  { runner, sequence }: { runner: Runner; sequence: Sequence },
  tokens: readonly number[],
  segments: readonly KeptSegment[],
  options: RestoreOptions,
): Promise<void> {
  sequence.clear();
  await runner.truncate(0);
  try {
    const { length, ringsFrom } = await fillCaches(device, runner, segments, options);
    sequence.adopt(tokens.slice(0, length), ringsFrom);
  } catch (error) {
    runner.far?.store.truncate(0);
    throw error;
  }
}

async function fillCaches(device: Device, runner: Runner, segments: readonly KeptSegment[], { growing }: RestoreOptions): Promise<{ length: number; ringsFrom: number }> {
  const vectors = new KeptVectors(segments);
  const length = vectors.tokens;
  let ringsFrom = 0;
  for (const [block, cache] of runner.caches.entries()) {
    if (cache instanceof StateCache) await fillState(cache, block, segments);
    if (!(cache instanceof KvCache)) continue;
    cache.noteFilled();
    if (cache.windowTokens === null) await fillCache(device, cache, block, vectors);
    else {
      const from = windowFrom(cache, block, segments);
      await fillRing(device, cache, block, segments, from);
      ringsFrom = Math.max(ringsFrom, from);
    }
  }
  const { far } = runner;
  const runs = keptRunsOf(runner, vectors);
  if (far && runs) {
    far.store.adopt(runs, Math.floor(length / far.plan.layout.segmentTokens), { growing });
    await far.adopt(length, far.plan.pages ? 0 : await fillIndex(device, runner, segments));
    far.store.truncate(far.sealed / far.plan.layout.segmentTokens);
  }
  return { length, ringsFrom };
}

async function fillState(cache: StateCache, block: number, segments: readonly KeptSegment[]): Promise<void> {
  const last = segments[segments.length - 1];
  const [state] = await last.read([{ part: statePart(block), offsetBytes: 0, lengthBytes: cache.sizeBytes }]);
  cache.adopt(state, last.position + last.tokenCount);
}

/** From which position on the segments hold a sliding block without a gap; no further back than its ring reaches. */
function windowFrom({ layout }: KvCache, block: number, segments: readonly KeptSegment[]): number {
  const last = segments.at(-1);
  const length = last ? last.position + last.tokenCount : 0;
  let from = length;
  for (const { position, tokenCount, parts } of segments.toReversed()) {
    const tokens = heldTokens(parts.get(windowKeysPart(block)), layout);
    from = position + tokenCount - tokens;
    if (tokens < tokenCount) break;
  }
  return Math.max(from, length - layout.capacitySlots);
}

function heldTokens(bytes: number | undefined, layout: KvLayout): number {
  return (bytes ?? 0) / (layout.kvHeads * rowBytesOf(layout));
}

async function fillRing(device: Device, cache: KvCache, block: number, segments: readonly KeptSegment[], from: number): Promise<void> {
  const { layout } = cache;
  const { kvHeads } = layout;
  const rowBytes = rowBytesOf(layout);
  for (const { position, tokenCount, parts, read } of segments) {
    const end = position + tokenCount;
    if (end <= from) continue;
    const tokens = heldTokens(parts.get(windowKeysPart(block)), layout);
    const first = Math.max(from, end - tokens);
    const bytes = await read([windowKeysPart(block), windowValuesPart(block)].map((part) => ({ part, offsetBytes: 0, lengthBytes: kvHeads * tokens * rowBytes })));
    const count = end - first;
    for (const { offsetBytes, sizeBytes, to } of cacheRuns(layout, first, count)) {
      const head = Math.floor(to / (count * rowBytes));
      const source = (head * tokens + first - (end - tokens)) * rowBytes + (to % (count * rowBytes));
      device.gpu.queue.writeBuffer(cache.keys, offsetBytes, bytes[0], source, sizeBytes);
      device.gpu.queue.writeBuffer(cache.values, offsetBytes, bytes[1], source, sizeBytes);
    }
  }
}

/** Vectors at once: a few MiB on their way. */
const tokensAtOnce = 4096;

async function fillCache(device: Device, cache: KvCache, block: number, vectors: KeptVectors): Promise<void> {
  const { layout } = cache;
  const recordBytes = rowBytesOf(layout);
  for (let first = 0; first < vectors.tokens; first += tokensAtOnce) {
    const count = Math.min(tokensAtOnce, vectors.tokens - first);
    for (const kind of ['keys', 'values'] as const) {
      const heads = Array.from({ length: layout.kvHeads }, (_, kvHead) => kvHead);
      const bytes = await vectors.read(heads.map((kvHead) => ({ block, kind, kvHead, recordBytes, beginByte: first * recordBytes, lengthBytes: count * recordBytes })));
      for (const { offsetBytes, sizeBytes, to } of cacheRuns(layout, first, count)) {
        const head = Math.floor(to / (count * recordBytes));
        device.gpu.queue.writeBuffer(cache[kind], offsetBytes, bytes[head], to % (count * recordBytes), sizeBytes);
      }
    }
  }
}

/** Puts the kept index back as far as it goes; returns how many far segments, from the first, have theirs. */
async function fillIndex(device: Device, runner: Runner, segments: readonly KeptSegment[]): Promise<number> {
  const { far, caches } = runner;
  if (!far) return 0;
  const { layout } = far.plan;
  let indexed = 0;
  for (const { position, tokenCount, parts, read } of segments) {
    const begin = Math.ceil(position / layout.segmentTokens);
    const end = Math.floor((position + tokenCount) / layout.segmentTokens);
    if (begin > indexed) return indexed;
    const names = far.layers.map(({ memory }) => indexPart(caches.indexOf(memory), layout));
    if (begin >= end) continue;
    if (!names.every((name) => parts.has(name))) return indexed;
    const wanted = names.map((part) => ({ part, offsetBytes: 0, lengthBytes: parts.get(part) ?? 0 }));
    const bytes = await read(wanted);
    for (const [index, { memory }] of far.layers.entries()) {
      let offset = 0;
      for (let segment = begin; segment < end; segment++) {
        for (const { buffer, offsetBytes, sizeBytes } of indexRanges(memory, layout, segment)) {
          device.gpu.queue.writeBuffer(buffer, offsetBytes, bytes[index], offset, sizeBytes);
          offset += sizeBytes;
        }
      }
    }
    indexed = end;
  }
  return indexed;
}
