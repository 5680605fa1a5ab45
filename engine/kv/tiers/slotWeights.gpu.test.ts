import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Device } from '../../device/device.ts';
import { Readback } from '../../device/readback.ts';
import { seededRandom } from '../../formats/quantisation/testing/seededRandom.ts';
import { arrive, emptyBooks, lookUp, weighSlots } from '../../reference/retrieval/slots.ts';
import { Clusters } from '../../retrieval/clusters.ts';
import { clustersPerSegment, type FarLayout, noCluster, sinkTokens } from '../../retrieval/layout.ts';
import { openTestDevice } from '../../testing/device.ts';
import { SlotTable } from './slotTable.ts';
import { bindSlotWeights } from './slotWeights.ts';

let device: Device;
let readback: Readback;
beforeAll(async () => {
  device = await openTestDevice();
  readback = new Readback(device);
});
afterAll(() => device.destroy());

test.each([
  { seed: 1, kvHeads: 1, segments: 2, slots: sinkTokens + 1, layer: 0 },
  { seed: 2, kvHeads: 3, segments: 4, slots: sinkTokens + 150, layer: 2 },
  { seed: 3, kvHeads: 2, segments: 3, slots: sinkTokens + 3 * 128, layer: 1 },
])('$slots slots of $kvHeads heads weigh what they hold, and clusters what is outside', async ({ seed, kvHeads, segments, slots, layer }) => {
  const random = seededRandom(seed);
  const layout: FarLayout = { heads: kvHeads, kvHeads, headDim: 64, segmentTokens: 128, capacityTokens: segments * 128, planes: 1 };
  const { segmentTokens, capacityTokens } = layout;
  const perSegment = clustersPerSegment(layout);
  const clusterCount = capacityTokens / 16;
  const table = new SlotTable(device, 'test', { layout, slots, maxSelected: 64 });
  const clusters = Clusters.create(device, layout, { label: 'test' });
  const tokenWords = device.memory.storage('kv', 'test', 4 * kvHeads * capacityTokens);
  const held = device.memory.storage('activations', 'test', 4 * 3 * kvHeads);
  const bound = await bindSlotWeights(device, { layer, layout, slots, table, clusters, tokenWords, held });
  const clusterOf = Array.from({ length: kvHeads }, () => Array.from({ length: capacityTokens }, (_, token) => (token < sinkTokens || random() < 0.05 ? noCluster : Math.floor(random() * perSegment))));
  const words = clusterOf.flatMap((of) => of.map((cluster) => ((cluster << 16) | Math.floor(random() * 65_536)) >>> 0));
  const counts = clusterOf.map((of) => {
    const members = Array<number>(clusterCount).fill(0);
    for (const [token, cluster] of of.entries()) if (cluster !== noCluster) members[Math.floor(token / segmentTokens) * perSegment + cluster]++;
    return members;
  });
  const { queue } = device.gpu;
  queue.writeBuffer(tokenWords, 0, Uint32Array.from(words));
  queue.writeBuffer(clusters.counts, 0, Uint32Array.from(counts.flat()));
  const books = Array.from({ length: kvHeads }, () => emptyBooks({ capacityTokens, slots, pinnedSlots: sinkTokens }));
  for (let step = 0; step < 6; step++) {
    for (const one of books) {
      const tokens = new Set(Array.from({ length: 1 + Math.floor(random() * 60) }, () => sinkTokens + Math.floor(random() * (capacityTokens - sinkTokens))));
      const { requests } = lookUp(one, [...tokens], { now: 1025 + step, sinks: 0, requestLimit: 60, waiting: random() < 0.3 });
      // Some are still on their way.
      for (const request of requests) if (random() < 0.8) arrive(one, request);
      if (step === 3) one.slotOf.fill(0, capacityTokens / 2);
    }
    queue.writeBuffer(table.slotOf, 0, Uint16Array.from(books.flatMap(({ slotOf }) => [...slotOf])));
    queue.writeBuffer(table.slots, 0, Uint32Array.from(books.flatMap(({ tokenIn, usedAt }) => [...tokenIn].flatMap((token, slot) => [token, usedAt[slot]]))));
    // What other layers hold must stay.
    queue.writeBuffer(held, 0, new Uint32Array(3 * kvHeads).fill(77));
    const encoder = device.gpu.createCommandEncoder();
    const pass = encoder.beginComputePass();
    bound.encode(pass, clusterCount);
    pass.end();
    device.gpu.queue.submit([encoder.finish()]);
    const expected = books.map((one, kvHead) =>
      weighSlots(one, counts[kvHead], (token) => (clusterOf[kvHead][token] === noCluster ? null : Math.floor(token / segmentTokens) * perSegment + clusterOf[kvHead][token])),
    );
    expect([...(await readback.words(table.weights, 0, kvHeads * slots))]).toEqual(expected.flatMap(({ weights }) => weights));
    expect([...(await readback.words(clusters.remaining, 0, kvHeads * clusterCount))]).toEqual(expected.flatMap(({ remaining }) => remaining));
    expect([...(await readback.words(held, 0, 3 * kvHeads))]).toEqual(Array.from({ length: 3 }, (_, one) => (one === layer ? expected.map((of) => of.held) : Array<number>(kvHeads).fill(77))).flat());
  }
});

test('more clusters than there are tokens for are refused', async () => {
  const layout: FarLayout = { heads: 1, kvHeads: 1, headDim: 64, segmentTokens: 128, capacityTokens: 128, planes: 1 };
  const table = new SlotTable(device, 'test', { layout, slots: 8, maxSelected: 64 });
  const storage = (): GPUBuffer => device.memory.storage('kv', 'test', 512);
  const bound = await bindSlotWeights(device, { layer: 0, layout, slots: 8, table, clusters: Clusters.create(device, layout, { label: 'test' }), tokenWords: storage(), held: storage() });
  expect(() => bound.encode(device.gpu.createCommandEncoder().beginComputePass(), 9)).toThrow('9 clusters are more than 128 tokens have');
});
