/**
 * Speed of the kernels that index far tokens, choose among them, find them in slots and estimate the rest: one line a
 * case with ms a layer. Arguments: names of parts (`clusters`, `scores`, `sketch`, `slots`) and `quick`. Bundle it with esbuild first, because of the WGSL imports.
 */
import { openTestDevice } from '../../engine/testing/device.ts';
import type { Device } from '../../engine/device/device.ts';
import { chooseKvFormat, type KvLayout, kvBytesPerValue } from '../../engine/layers/attention/layout.ts';
import { allocateClusterScratch, bindClusterBuild, clusterBytes, Clusters } from '../../engine/retrieval/clusters.ts';
import { bindClusterScores } from '../../engine/retrieval/clusterScores.ts';
import { bindDiscount } from '../../engine/retrieval/discount.ts';
import { clusteringRounds, clustersPerSegment, clusterTokens, type FarLayout, sinkTokens } from '../../engine/retrieval/layout.ts';
import { bindSlotLookup, LookupUniforms } from '../../engine/kv/tiers/slotLookup.ts';
import { bindSlotWeights } from '../../engine/kv/tiers/slotWeights.ts';
import { SlotTable } from '../../engine/kv/tiers/slotTable.ts';
import { allocatePartials } from '../../engine/layers/attention/merge.ts';
import { bindPart } from '../../engine/layers/attention/partial.ts';
import { StepUniform } from '../../engine/layers/step.ts';
import { allocatePages, bindPageBuild, bindPageScores, pageBytes } from '../../engine/retrieval/pages.ts';
import { SegmentUniform } from '../../engine/retrieval/segmentUniform.ts';
import { bindSelect, Selection } from '../../engine/retrieval/select.ts';
import { bindSketchBuild, planeWords, Sketch } from '../../engine/retrieval/sketch.ts';
import { bindSketchScan } from '../../engine/retrieval/sketchScan.ts';
import { SketchSelectScratch } from '../../engine/retrieval/sketchSelect.ts';
import { best, line } from './measure.ts';

interface Shape {
  name: string;
  heads: number;
  kvHeads: number;
  headDim: number;
}

const shapes: Shape[] = [
  { name: 'SmolLM2-135M', heads: 9, kvHeads: 3, headDim: 64 },
  { name: 'Gemma-270M', heads: 4, kvHeads: 1, headDim: 256 },
  { name: 'Llama-1B', heads: 32, kvHeads: 8, headDim: 64 },
  { name: 'Llama-8B', heads: 32, kvHeads: 8, headDim: 128 },
];

/** Buffers of one layer, filled with noise, that cases free together. */
class Layer {
  readonly layout: FarLayout;
  readonly ring: KvLayout;
  readonly keys: GPUBuffer;
  readonly values: GPUBuffer;
  readonly segment: SegmentUniform;
  readonly #device: Device;
  readonly #buffers: GPUBuffer[] = [];

  constructor(device: Device, { heads, kvHeads, headDim }: Shape, segmentTokens: number, capacityTokens: number) {
    this.#device = device;
    this.layout = { heads, kvHeads, headDim, segmentTokens, capacityTokens, planes: 2 };
    this.ring = { format: chooseKvFormat(device), kvHeads, headDim, capacitySlots: 2 * segmentTokens };
    const bytes = kvHeads * this.ring.capacitySlots * headDim * kvBytesPerValue(this.ring.format);
    [this.keys, this.values] = [this.storage(bytes), this.storage(bytes)];
    // Values near 1 in either format: random low bits under fixed exponents.
    const words = Uint32Array.from({ length: bytes / 4 }, () => {
      const random = Math.floor(Math.random() * 2 ** 32);
      return this.ring.format === 'f16' ? (random & 0x83ff83ff) | 0x38003800 : (random & 0x807fffff) | 0x3f000000;
    });
    for (const buffer of [this.keys, this.values]) device.gpu.queue.writeBuffer(buffer, 0, words);
    this.segment = new SegmentUniform(device);
    this.segment.write(1);
  }

  storage(bytes: number): GPUBuffer {
    const buffer = this.#device.memory.storage('kv', 'bench', bytes);
    this.#buffers.push(buffer);
    return buffer;
  }

  free(): void {
    this.segment.free();
    for (const buffer of this.#buffers) this.#device.memory.free(buffer);
  }
}

async function measureClusters(device: Device, shape: Shape, segmentTokens: number): Promise<void> {
  const { kvHeads, headDim } = shape;
  const layer = new Layer(device, shape, segmentTokens, 2 * segmentTokens);
  const { layout, ring, keys, values } = layer;
  const clusters = Clusters.create(device, layout, { label: 'bench' });
  const scratch = allocateClusterScratch(device, layout);
  const tokenWords = layer.storage(kvHeads * layout.capacityTokens * 4);
  const build = await bindClusterBuild(device, { layout, ring, keys, values, clusters, tokenWords, scratch, segment: layer.segment.buffer });
  const flops = 2 * clusteringRounds * kvHeads * segmentTokens * (clustersPerSegment(layout) + 1) * headDim;
  console.log(line(`${shape.name} cluster ${segmentTokens} tokens`, await best(device, (pass) => build.encode(pass, 1)), flops, 'GFLOP/s'));
  const pages = allocatePages(device, layout, { label: 'bench' });
  const bounds = await bindPageBuild(device, { layout, ring, keys, pages, segment: layer.segment.buffer });
  const bytes = kvHeads * segmentTokens * headDim * kvBytesPerValue(ring.format) + pageBytes(layout) / 2;
  console.log(line(`${shape.name} bound the pages of ${segmentTokens} tokens`, await best(device, (pass) => bounds.encode(pass, 1)), bytes, 'GB/s'));
  clusters.free();
  for (const buffer of [scratch, pages]) device.memory.free(buffer);
  layer.free();
}

async function measureScores(device: Device, shape: Shape, tokens: number): Promise<void> {
  const { heads, kvHeads, headDim } = shape;
  const layer = new Layer(device, shape, 512, tokens);
  const { layout } = layer;
  const clusters = Clusters.create(device, layout, { label: 'bench' });
  const queries = layer.storage(heads * headDim * 4);
  const scores = layer.storage(heads * tokens * 4);
  const tokenWords = layer.storage(kvHeads * tokens * 4);
  const maxSelected = Math.ceil(tokens * 0.02);
  const selectionTokens = layer.storage(kvHeads * maxSelected * 4);
  device.gpu.queue.writeBuffer(selectionTokens, 0, Uint32Array.from({ length: kvHeads * maxSelected }, (_, i) => sinkTokens + (i % maxSelected) * 49));
  const selectionCounts = layer.storage(kvHeads * 4);
  device.gpu.queue.writeBuffer(selectionCounts, 0, new Uint32Array(kvHeads).fill(maxSelected));
  const remaining = layer.storage((kvHeads * tokens) / clusterTokens * 4);
  const pages = allocatePages(device, layout, { label: 'bench' });
  const written = heads * tokens * 4;

  const byCluster = await bindClusterScores(device, { layout, queries, clusters, tokenWords, scores, sizeTerm: true });
  const clusterWork = clusterBytes(layout) / 2 + kvHeads * tokens * 4 + written;
  console.log(line(`${shape.name} scores of ${tokens} tokens by cluster`, await best(device, (pass) => byCluster.encode(pass, tokens)), clusterWork, 'GB/s'));
  const byPage = await bindPageScores(device, { layout, queries, pages, scores });
  console.log(line(`${shape.name} scores of ${tokens} tokens by page`, await best(device, (pass) => byPage.encode(pass, tokens)), pageBytes(layout) + written, 'GB/s'));
  const discount = await bindDiscount(device, { layout, selectionTokens, selectionCounts, maxSelected, tokenWords, counts: clusters.counts, remaining });
  const discountWork = 2 * remaining.size + kvHeads * maxSelected * 12;
  console.log(line(`${shape.name} discount 2 % of ${tokens} tokens`, await best(device, (pass) => discount.encode(pass, tokens / clusterTokens)), discountWork, 'GB/s'));
  clusters.free();
  device.memory.free(pages);
  layer.free();
}

/** Bits of random keys and scales near 1, which is all that a scan's time depends on. */
function noise(count: number): Uint32Array<ArrayBuffer> {
  return Uint32Array.from({ length: count }, () => (Math.floor(Math.random() * 2 ** 32) & 0xffff0000) | 0x3c00);
}

async function measureSketch(device: Device, shape: Shape, tokens: number): Promise<void> {
  const { heads, kvHeads, headDim } = shape;
  const layer = new Layer(device, shape, 512, tokens);
  const { layout } = layer;
  const wanted = Math.ceil(tokens * 0.02);
  const sketch = Sketch.create(device, layout, { label: 'bench' });
  for (const buffer of [sketch.planes, sketch.tokenWords]) device.gpu.queue.writeBuffer(buffer, 0, noise(buffer.size / 4));
  const clusters = Clusters.create(device, layout, { label: 'bench' });
  const queries = layer.storage(heads * headDim * 4);
  device.gpu.queue.writeBuffer(queries, 0, Float32Array.from({ length: heads * headDim }, () => Math.random() - 0.5));
  const scratch = new SketchSelectScratch(device, layout, { maxCandidates: 4 * wanted });
  const selection = new Selection(device, layout, { maxSelected: wanted, label: 'bench' });
  const { scores, scan, select, uniforms } = scratch;
  for (const planesRead of [1, 2]) {
    scratch.write({ sealedTokens: tokens, wanted, oversample: 4, scanPlanes: planesRead });
    const bound = await bindSketchScan(device, { layout, sketch, clusters, queries, scratch: scan, numbers: uniforms.scan, scores });
    const bytes = kvHeads * tokens * (planesRead * 4 * planeWords(headDim) + 4) + clusterBytes(layout) / 2 + heads * tokens * 4;
    const timing = await best(device, (pass) => {
      bound.encodeQueries(pass, tokens);
      bound.encodeScores(pass, tokens);
    });
    console.log(line(`${shape.name} scan ${tokens} tokens, ${planesRead} planes`, timing, bytes, 'GB/s'));
  }
  const choose = await bindSelect(device, { heads, kvHeads, scores, stride: tokens, uniform: uniforms.choose, scratch: select, selection });
  console.log(line(`${shape.name} select 2 % of ${tokens} tokens`, await best(device, (pass) => choose.encode(pass, { entries: tokens, wanted })), 2 * heads * tokens * 4, 'GB/s'));
  for (const part of [sketch, clusters, scratch, selection, layer]) part.free();
}

async function measureSketchBuild(device: Device, shape: Shape, segmentTokens: number): Promise<void> {
  const { kvHeads, headDim } = shape;
  const layer = new Layer(device, shape, segmentTokens, 2 * segmentTokens);
  const { ring, keys } = layer;
  for (const planes of [2, 4] as const) {
    const layout = { ...layer.layout, planes };
    const sketch = Sketch.create(device, layout, { label: 'bench' });
    const clusters = Clusters.create(device, layout, { label: 'bench' });
    const build = await bindSketchBuild(device, { layout, ring, keys, sketch, clusters, segment: layer.segment.buffer });
    const bytes = kvHeads * segmentTokens * (2 * headDim * kvBytesPerValue(ring.format) + planes * 4 * planeWords(headDim) + 4);
    console.log(line(`${shape.name} sketch ${segmentTokens} tokens in ${planes} planes`, await best(device, (pass) => build.encode(pass, 1)), bytes, 'GB/s'));
    for (const part of [sketch, clusters]) part.free();
  }
  layer.free();
}

/** A cache of twice the wanted tokens, of which an eighth changes from lookup to lookup. */
async function measureSlots(device: Device, shape: Shape, tokens: number): Promise<void> {
  const { heads, kvHeads, headDim } = shape;
  const layer = new Layer(device, shape, 512, tokens);
  const { layout } = layer;
  const maxSelected = Math.ceil(tokens * 0.02);
  const slots = sinkTokens + 2 * maxSelected;
  const listCapacity = sinkTokens + maxSelected;
  const words = headDim / 2;
  const table = new SlotTable(device, 'bench', { layout, slots, maxSelected });
  const lookups = new LookupUniforms(device);
  const [list, listCounts, keys, values] = [listCapacity * 4, 4, slots * words * 4, slots * words * 4].map((bytes) => layer.storage(kvHeads * bytes));
  const limits = { room: maxSelected, requestLimit: maxSelected };
  const bound: Awaited<ReturnType<typeof bindSlotLookup>>[] = [];
  const selections = [0, 1].map(() => new Selection(device, layout, { maxSelected, label: 'bench' }));
  for (const [turn, selection] of selections.entries()) {
    const chosen = Uint32Array.from({ length: kvHeads * maxSelected }, (_, i) => sinkTokens + (i % maxSelected) * 49 + (i % 8 === 0 ? turn : 0));
    device.gpu.queue.writeBuffer(selection.tokens, 0, chosen);
    device.gpu.queue.writeBuffer(selection.counts, 0, new Uint32Array(kvHeads).fill(maxSelected));
    bound.push(await bindSlotLookup(device, { layout, slots, maxSelected, table, selection, list, listCounts, listCapacity, numbers: lookups.first, waiting: true }));
  }
  let turn = 0;
  const timing = await best(device, (pass) => {
    lookups.begin({}, limits);
    bound[turn++ % 2].encode(pass);
  });
  console.log(line(`${shape.name} look up 2 % of ${tokens} tokens`, timing, kvHeads * maxSelected * 24, 'GB/s'));
  const step = new StepUniform(device);
  step.write({ rows: 1, position: tokens });
  const splits = device.facts.kind === 'gpu' ? { listed: 8, estimated: 16 } : { listed: 2, estimated: 2 };
  const partials = allocatePartials(device, splits.listed + splits.estimated, heads, headDim);
  const common = { queries: layer.storage(heads * headDim * 4), heads, kvHeads, headDim, partials, step: step.buffer };
  const listed = await bindPart(device, { kind: 'list', format: 'f16', list, counts: listCounts, listCapacity }, { ...common, keys, values, capacitySlots: slots });
  listed.write({ keys: 0, firstSplit: 0, continued: false });
  const listedBytes = 2 * kvHeads * listCapacity * words * 4;
  console.log(line(`${shape.name} attend to 2 % of ${tokens} tokens`, await best(device, (pass) => listed.encode(pass, { rows: 1, position: tokens }, splits.listed)), listedBytes, 'GB/s'));
  const clusters = Clusters.create(device, layout, { label: 'bench' });
  const estimated = await bindPart(device, { kind: 'weighed', format: 'q8', weights: clusters.counts }, { ...common, keys: clusters.centroids, values: clusters.valueMeans, capacitySlots: tokens / clusterTokens });
  estimated.write({ keys: tokens / clusterTokens, firstSplit: splits.listed, continued: false });
  console.log(line(`${shape.name} estimate ${tokens} tokens`, await best(device, (pass) => estimated.encode(pass, { rows: 1, position: tokens }, splits.estimated)), clusterBytes(layout), 'GB/s'));
  const held = layer.storage(kvHeads * 4);
  const weigh = await bindSlotWeights(device, { layer: 0, layout, slots, table, clusters, tokenWords: layer.storage(kvHeads * tokens * 4), held });
  console.log(line(`${shape.name} weigh ${slots} slots of ${tokens} tokens`, await best(device, (pass) => weigh.encode(pass, tokens / clusterTokens)), kvHeads * (slots * 20 + (tokens / clusterTokens) * 8), 'GB/s'));
  for (const part of [...selections, table, lookups, clusters, layer]) part.free();
  for (const buffer of [partials.outputs, partials.logSumExps, step.buffer]) device.memory.free(buffer);
}

const device = await openTestDevice();
console.log(device.facts.name);
const wanted = new Set(process.argv.slice(2));
const wants = (part: string): boolean => wanted.has(part) || !['clusters', 'scores', 'sketch', 'slots'].some((name) => wanted.has(name));
const software = device.facts.kind === 'software';
for (const shape of software ? shapes.slice(0, 2) : shapes) {
  if (wants('clusters')) for (const segmentTokens of wanted.has('quick') ? [128] : [128, 512]) await measureClusters(device, shape, segmentTokens);
  if (wants('sketch')) await measureSketchBuild(device, shape, wanted.has('quick') ? 128 : 512);
  for (const tokens of software || wanted.has('quick') ? [8192] : [32768, 131072]) {
    if (wants('scores')) await measureScores(device, shape, tokens);
    if (wants('sketch')) await measureSketch(device, shape, tokens);
    if (wants('slots')) await measureSlots(device, shape, tokens);
  }
}
process.exit(0);
