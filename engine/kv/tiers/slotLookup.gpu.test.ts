import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Device } from '../../device/device.ts';
import { Readback } from '../../device/readback.ts';
import { seededRandom } from '../../formats/quantisation/testing/seededRandom.ts';
import { arrive, emptyBooks, lookUp, type SlotBooks, type SlotRequest } from '../../reference/retrieval/slots.ts';
import { type FarLayout, sinkTokens } from '../../retrieval/layout.ts';
import { Selection } from '../../retrieval/select.ts';
import { openTestDevice } from '../../testing/device.ts';
import { Arrivals } from './arrivals.ts';
import { FarStore } from './farStore.ts';
import { bindScatter } from './move.ts';
import { RequestReader } from './requestReader.ts';
import { bindSlotLookup, LookupUniforms, type LookupVariant } from './slotLookup.ts';
import { mostSlots, SlotTable } from './slotTable.ts';

let device: Device;
let readback: Readback;
beforeAll(async () => {
  device = await openTestDevice();
  readback = new Readback(device);
});
afterAll(() => device.destroy());

const headDim = 64;
const segmentTokens = 128;

interface Shape {
  kvHeads: number;
  segments: number;
  slots: number;
  maxSelected: number;
  variant: LookupVariant;
}

/** A layer's cache on the GPU beside its reference, with a store whose vectors are told apart by their first word. */
async function createCache({ kvHeads, segments, slots, maxSelected, variant }: Shape) {
  const layout: FarLayout = { heads: kvHeads, kvHeads, headDim, segmentTokens, capacityTokens: segments * segmentTokens, planes: 1 };
  const words = headDim / 2;
  const store = new FarStore({ layers: 1, kvHeads, headDim, segmentTokens, format: 'f16' }, { ramBudgetBytes: 0, disk: null });
  const firstWord = (part: number, kvHead: number, token: number): number => 1 + (part * kvHeads + kvHead) * layout.capacityTokens + token;
  for (let segment = 0; segment < segments; segment++) {
    const segmentWords = new Uint32Array(2 * kvHeads * segmentTokens * words);
    for (let i = 0; i < segmentWords.length; i++) {
      const vector = Math.floor(i / words);
      const [part, kvHead] = [Math.floor(vector / segmentTokens / kvHeads), Math.floor(vector / segmentTokens) % kvHeads];
      segmentWords[i] = firstWord(part, kvHead, segment * segmentTokens + (vector % segmentTokens)) + (i % words) * 0x100000;
    }
    store.append(0, segmentWords);
  }
  const room = Math.min(slots - sinkTokens, maxSelected);
  const listCapacity = sinkTokens + room;
  const storage = (sizeBytes: number): GPUBuffer => device.memory.storage('kv', 'test', sizeBytes);
  const table = new SlotTable(device, 'test', { layout, slots, maxSelected });
  const selection = new Selection(device, layout, { maxSelected, label: 'test' });
  const [list, listCounts, keys, values] = [storage(4 * kvHeads * listCapacity), storage(4 * kvHeads), storage(4 * kvHeads * slots * words), storage(4 * kvHeads * slots * words)];
  const uniforms = new LookupUniforms(device);
  const arrivals = new Arrivals(device, { maxArrivals: 37, words, slots });
  const io = { layout, slots, maxSelected, table, selection, list, listCounts, listCapacity, variant };
  const lookups = new Map<string, Awaited<ReturnType<typeof bindSlotLookup>>>();
  for (const waiting of [true, false]) {
    for (const which of ['first', 'further'] as const) lookups.set(`${waiting} ${which}`, await bindSlotLookup(device, { ...io, numbers: uniforms[which], waiting }));
  }
  const scatter = await bindScatter(device, { layer: 0, arrivals, keys, values, table, layout, slots, format: 'f16' });
  const reader = new RequestReader(device, { kvHeads, maxRequests: room });
  const books: SlotBooks[] = Array.from({ length: kvHeads }, () => emptyBooks({ capacityTokens: layout.capacityTokens, slots, pinnedSlots: sinkTokens }));
  const pass = (encode: (pass: GPUComputePassEncoder) => void): GPUCommandEncoder => {
    const encoder = device.gpu.createCommandEncoder();
    const computing = encoder.beginComputePass();
    encode(computing);
    computing.end();
    return encoder;
  };
  const submit = (encoder: GPUCommandEncoder): void => device.gpu.queue.submit([encoder.finish()]);
  return { layout, words, room, listCapacity, store, table, selection, list, listCounts, keys, values, uniforms, arrivals, lookups, scatter, reader, books, firstWord, pass, submit };
}

type Cache = Awaited<ReturnType<typeof createCache>>;

/** Ascending, each once, none of them a sink. */
function someTokens(random: () => number, count: number, capacityTokens: number): number[] {
  const tokens = new Set<number>();
  // Some are wanted more often than others, as in earnest.
  while (tokens.size < count) tokens.add(sinkTokens + Math.floor(random() ** 2 * (capacityTokens - sinkTokens)));
  return [...tokens].sort((a, b) => a - b);
}

/** Looks up on both sides and compares what they leave behind. Returns what is asked for, by KV head. */
async function compareLookup(cache: Cache, chosen: number[][], now: number, { waiting, first, requestLimit }: { waiting: boolean; first: number; requestLimit: number }) {
  const { selection, layout, room, listCapacity, table, books } = cache;
  const sinks = first === 0 ? sinkTokens : 0;
  const { queue } = device.gpu;
  if (first === 0) {
    chosen.forEach((tokens, kvHead) => queue.writeBuffer(selection.tokens, 4 * kvHead * selection.maxSelected, Uint32Array.from(tokens)));
    queue.writeBuffer(selection.counts, 0, Uint32Array.from(chosen, ({ length }) => length));
    cache.uniforms.begin({}, { room, requestLimit });
  } else cache.uniforms.goOn(first, { room, requestLimit });
  const lookup = cache.lookups.get(`${waiting} ${first === 0 ? 'first' : 'further'}`);
  const encoder = cache.pass((pass) => lookup?.encode(pass));
  const copy = cache.reader.encode(encoder, table.requests, 5);
  cache.submit(encoder);
  const requests = await cache.reader.read(copy);
  const list = await readback.words(cache.list, 0, layout.kvHeads * listCapacity);
  const counts = await readback.words(cache.listCounts, 0, layout.kvHeads);
  const left = await readback.words(selection.tokens, 0, layout.kvHeads * selection.maxSelected);
  const leftCounts = await readback.words(selection.counts, 0, layout.kvHeads);
  const asked: SlotRequest[][] = [];
  for (const [kvHead, tokens] of chosen.entries()) {
    const some = tokens.slice(first, first + room);
    const expected = lookUp(books[kvHead], some, { now, sinks, requestLimit, waiting });
    expect(Array.from(list.subarray(kvHead * listCapacity, kvHead * listCapacity + counts[kvHead]))).toEqual(expected.list);
    expect(requests.hits(kvHead)).toBe(expected.hits);
    expect([requests.lookedUp(kvHead), requests.chosen(kvHead)]).toEqual([some.length, tokens.length]);
    const count = requests.requested(kvHead);
    const [asking, places] = [new Uint32Array(count), new Uint32Array(2 * count)];
    requests.copyTo(kvHead, { first: 0, count, tokens: asking, places, place: 0, firstSlot: 0 });
    expect(Array.from(asking, (token, i) => ({ token, slot: places[2 * i] }))).toEqual(expected.requests);
    if (!waiting) expect(Array.from(left.subarray(kvHead * selection.maxSelected, kvHead * selection.maxSelected + leftCounts[kvHead]))).toEqual(expected.attended);
    asked.push(expected.requests);
  }
  await compareBooks(cache);
  return { requests, asked };
}

async function compareBooks({ table, books, layout: { kvHeads, capacityTokens } }: Cache): Promise<void> {
  const slotOf = new Uint16Array(await readback.read(table.slotOf, 0, 2 * kvHeads * capacityTokens));
  const slotCount = books[0].tokenIn.length;
  const slots = await readback.words(table.slots, 0, 2 * kvHeads * (slotCount + 1));
  books.forEach((book, kvHead) => {
    expect(slotOf.subarray(kvHead * capacityTokens, (kvHead + 1) * capacityTokens)).toEqual(book.slotOf);
    expect(Array.from(book.tokenIn, (_, slot) => slots[2 * (kvHead * slotCount + slot)])).toEqual(Array.from(book.tokenIn));
    expect(slots[2 * (kvHeads * slotCount + kvHead)]).toBe(book.hand);
  });
}

/** Every token that the books say is there has its own vectors in its slot. */
async function compareVectors({ keys, values, words, books, firstWord }: Cache): Promise<void> {
  for (const [part, buffer] of [keys, values].entries()) {
    const held = await readback.words(buffer, 0, buffer.size / 4);
    for (const [kvHead, { slotOf, tokenIn }] of books.entries()) {
      for (const [token, slot] of slotOf.entries()) {
        if (slot === 0 || slot === 0xffff) continue;
        const at = (kvHead * tokenIn.length + slot - 1) * words;
        expect(held[at]).toBe(firstWord(part, kvHead, token));
        expect(held[at + words - 1]).toBe(firstWord(part, kvHead, token) + (words - 1) * 0x100000);
      }
    }
  }
}

async function deliver(cache: Cache, { requests, asked }: Awaited<ReturnType<typeof compareLookup>>): Promise<void> {
  const scatter = (): void => cache.submit(cache.pass((pass) => cache.scatter.encode(pass)));
  await cache.arrivals.deliver(cache.store, 0, requests, scatter);
  scatter();
  asked.forEach((ones, kvHead) => ones.forEach((one) => arrive(cache.books[kvHead], one)));
  await compareBooks(cache);
}

/** The number of the reference's lookups need not be the GPU's: only ages matter. */
const firstLookup = 1025;

describe.each<Shape & { seed: number }>([
  { seed: 1, kvHeads: 1, segments: 2, slots: sinkTokens + 40, maxSelected: 64, variant: { invocations: 32, atOnce: 1, subgroups: false } },
  { seed: 2, kvHeads: 3, segments: 4, slots: sinkTokens + 150, maxSelected: 128, variant: { invocations: 32, atOnce: 3, subgroups: true } },
  { seed: 3, kvHeads: 2, segments: 3, slots: sinkTokens + 300, maxSelected: 192, variant: { invocations: 512, atOnce: 8, subgroups: false } },
  { seed: 4, kvHeads: 2, segments: 3, slots: sinkTokens + 200, maxSelected: 192, variant: { invocations: 128, atOnce: 4, subgroups: true } },
])('a cache of $slots slots for $kvHeads heads, $variant.invocations invocations, $variant.atOnce tokens at once, subgroups: $variant.subgroups', ({ seed, ...shape }) => {
  test.each([true, false])('finds, asks and replaces as the reference does (waiting: %s)', async (waiting) => {
    const random = seededRandom(seed);
    const cache = await createCache(shape);
    const { room, layout } = cache;
    let now = firstLookup;
    /** What has been asked for and not come yet. */
    let underway: Awaited<ReturnType<typeof compareLookup>> | null = null;
    for (let step = 0; step < 12; step++) {
      const wanted = Math.floor(random() * shape.maxSelected);
      const chosen = Array.from({ length: shape.kvHeads }, () => someTokens(random, Math.max(0, wanted - Math.floor(random() * 3)), layout.capacityTokens));
      if (waiting) {
        for (let first = 0; first === 0 || first < wanted; first += room) {
          await deliver(cache, await compareLookup(cache, chosen, now++, { waiting, first, requestLimit: room }));
        }
      } else {
        const asked = await compareLookup(cache, chosen, now++, { waiting, first: 0, requestLimit: Math.ceil(room / 4) });
        // What was asked for a step ago comes after this step's lookup.
        if (underway) await deliver(cache, underway);
        underway = asked;
      }
      if (step === 7) {
        const firstToken = 2 * Math.floor((random() * layout.capacityTokens) / 2);
        cache.table.forgetFrom(firstToken);
        for (const { slotOf } of cache.books) slotOf.fill(0, firstToken);
      }
    }
    await compareVectors(cache);
  });

  test('what is wanted again and again is fetched once', async () => {
    const random = seededRandom(seed);
    const cache = await createCache(shape);
    const favourites = Array.from({ length: 10 }, (_, i) => sinkTokens + i);
    const askedFor = new Map<number, number>();
    for (let step = 0; step < 20; step++) {
      const others = someTokens(random, 12, cache.layout.capacityTokens).filter((token) => token >= sinkTokens + 10);
      const { asked, requests } = await compareLookup(cache, Array.from({ length: shape.kvHeads }, () => [...favourites, ...others]), firstLookup + step, { waiting: true, first: 0, requestLimit: cache.room });
      for (const { token } of asked[0]) askedFor.set(token, (askedFor.get(token) ?? 0) + 1);
      await deliver(cache, { asked, requests });
    }
    for (const token of favourites) expect(askedFor.get(token)).toBe(1);
    await compareVectors(cache);
  });
});

test('slots are named in 16 bits', () => {
  expect(mostSlots + 1).toBe(0xffff);
});
