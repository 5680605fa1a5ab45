/**
 * What becomes of an answer when a passage cannot be attended to. Keys carry their own positions, so in layers that see
 * everything their order does not matter: the last ones take the passage's place, what follows is computed again behind
 * them, and everything is put back. What later tokens took from the passage while they were read stays in them.
 */
import type { Device } from '../device/device.ts';
import { cancelled, EngineError } from '../errors.ts';
import { KvCache } from '../kv/cache.ts';
import { kvBytesPerValue } from '../layers/attention/layout.ts';
import type { InspectionParts } from './inspection.ts';
import { nextLogprobs } from './nextLogprobs.ts';

export interface AblationInputs {
  /** The prompt and the answer. */
  tokens: readonly number[];
  /** From here on everything is computed without the passage: where the document ends. */
  rescoreFrom: number;
  /** The first token of the answer. */
  answerFrom: number;
  /** Tokens [start, end) that are taken out; null takes out none. */
  passage: { start: number; end: number } | null;
  signal?: AbortSignal;
}

/** Log-probabilities of the answer's tokens, in nats. The sequence then ends at `rescoreFrom`. */
export async function answerLogprobs(parts: InspectionParts, { tokens, rescoreFrom, answerFrom, passage, signal }: AblationInputs): Promise<number[]> {
  const { device, runner, sequence } = parts;
  if (runner.far) throw cannotAblate();
  await sequence.extend(tokens.slice(0, rescoreFrom), { signal });
  const removal = passage ? new Removal(device, fullCaches(parts), { ...passage, length: rescoreFrom, rows: tokens.length - rescoreFrom }) : null;
  const removed = passage ? passage.end - passage.start : 0;
  removal?.remove();
  const logprobs: number[] = [];
  try {
    for (let position = rescoreFrom; position < tokens.length - 1; position += runner.maxRows) {
      if (signal?.aborted) throw cancelled();
      const rows = Math.min(runner.maxRows, tokens.length - 1 - position);
      runner.writeTokens(tokens.slice(position, position + rows));
      const encoder = await runner.encodeLayers({ rows, position, removed, exact: true }, signal);
      device.gpu.queue.submit([encoder.finish()]);
      await device.finished();
      logprobs.push(...(await nextLogprobs(parts, tokens.slice(position + 1, position + 1 + rows), signal)));
    }
  } finally {
    removal?.restore();
    // Rings hold what was computed; the next call computes it again.
    sequence.noteOverwritten(tokens.length);
  }
  return logprobs.slice(answerFrom - 1 - rescoreFrom);
}

function fullCaches({ runner }: InspectionParts): KvCache[] {
  return runner.caches.filter((cache) => cache instanceof KvCache).filter(({ windowTokens }) => windowTokens === null);
}

function cannotAblate(): EngineError {
  return new EngineError('internal', 'A passage can only be taken out while all keys are on the GPU.', 'Raise the memory for keys and values, or ask about a shorter document.');
}

/** A run of slots, the same in every KV head. */
interface Slots {
  start: number;
  count: number;
}

class Removal {
  readonly #device: Device;
  readonly #caches: readonly KvCache[];
  /** The last keys that stay and lie behind the shortened sequence; they go to the passage's slots. */
  readonly #moved: Slots;
  readonly #passage: Slots;
  /** What is overwritten, and copies of it. */
  readonly #overwritten: readonly Slots[];
  readonly #saved: { buffer: GPUBuffer; copy: GPUBuffer; slots: Slots; cache: KvCache }[] = [];
  readonly #temporary: GPUBuffer[] = [];

  constructor(device: Device, caches: readonly KvCache[], { start, end, length, rows }: { start: number; end: number; length: number; rows: number }) {
    this.#device = device;
    this.#caches = caches;
    const shortened = length - (end - start);
    const movedFrom = Math.max(end, shortened);
    this.#moved = { start: movedFrom, count: length - movedFrom };
    this.#passage = { start, count: length - movedFrom };
    this.#overwritten = [this.#passage, { start: shortened, count: Math.min(rows, length - shortened) }];
  }

  remove(): void {
    const { memory } = this.#device;
    this.#each((encoder, cache, buffer) => {
      for (const slots of this.#overwritten) {
        if (slots.count === 0) continue;
        const copy = memory.storage('activations', 'taken out', cache.layout.kvHeads * slotBytes(cache) * slots.count);
        copySlots(encoder, cache, { from: buffer, slots }, { to: copy, packed: slots.count });
        this.#saved.push({ buffer, copy, slots, cache });
      }
      if (this.#moved.count === 0) return;
      const moving = memory.storage('activations', 'moved', cache.layout.kvHeads * slotBytes(cache) * this.#moved.count);
      copySlots(encoder, cache, { from: buffer, slots: this.#moved }, { to: moving, packed: this.#moved.count });
      restoreSlots(encoder, cache, { from: moving, to: buffer, slots: this.#passage });
      this.#temporary.push(moving);
    });
    for (const buffer of this.#temporary.splice(0)) memory.free(buffer);
  }

  restore(): void {
    const encoder = this.#device.gpu.createCommandEncoder();
    for (const { buffer, copy, slots, cache } of this.#saved) restoreSlots(encoder, cache, { from: copy, to: buffer, slots });
    this.#device.gpu.queue.submit([encoder.finish()]);
    for (const { copy } of this.#saved.splice(0)) this.#device.memory.free(copy);
  }

  #each(act: (encoder: GPUCommandEncoder, cache: KvCache, buffer: GPUBuffer) => void): void {
    const encoder = this.#device.gpu.createCommandEncoder();
    for (const cache of this.#caches) for (const buffer of [cache.keys, cache.values]) act(encoder, cache, buffer);
    this.#device.gpu.queue.submit([encoder.finish()]);
  }
}

function slotBytes({ layout }: KvCache): number {
  return layout.headDim * kvBytesPerValue(layout.format);
}

function copySlots(encoder: GPUCommandEncoder, cache: KvCache, { from, slots }: { from: GPUBuffer; slots: Slots }, { to, packed }: { to: GPUBuffer; packed: number }): void {
  const bytes = slotBytes(cache);
  for (let head = 0; head < cache.layout.kvHeads; head++) {
    encoder.copyBufferToBuffer(from, (head * cache.layout.capacitySlots + slots.start) * bytes, to, head * packed * bytes, slots.count * bytes);
  }
}

function restoreSlots(encoder: GPUCommandEncoder, cache: KvCache, { from, to, slots }: { from: GPUBuffer; to: GPUBuffer; slots: Slots }): void {
  const bytes = slotBytes(cache);
  for (let head = 0; head < cache.layout.kvHeads; head++) {
    encoder.copyBufferToBuffer(from, head * slots.count * bytes, to, (head * cache.layout.capacitySlots + slots.start) * bytes, slots.count * bytes);
  }
}
