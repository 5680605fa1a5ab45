/**
 * What choosing far tokens by the sketch costs a layer, by dispatch and for every way to spread the kernels over the
 * adapter:
 *
 *     node dist/bench/choiceTimes.js [--heads 32] [--kv-heads 8] [--head-dim 128] [--planes 2] [--tokens 131072]
 *       [--wanted 2621] [--variants usual,scan] [--stages] [--rounds 3] [--small] [--out FILE.jsonl]
 *
 * The chain is that of a layer in a step whose tokens all lie in slots: queries, scan, selection, lookup, discount,
 * repeated in one pass, so that each dispatch waits for the one before as in earnest; all planes are scanned. One JSON
 * line a variant: microseconds of a chain, the best of --rounds rounds through all variants. --variants names variants
 * by how their names begin. With --stages also what each dispatch adds to a chain that ends with it; those chains leave
 * histograms as they should not be, which changes what is chosen but hardly a time. --small runs on a software adapter.
 */
import { appendFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import type { Device } from '../engine/device/device.ts';
import { bindSlotLookup, LookupUniforms, type LookupVariant } from '../engine/kv/tiers/slotLookup.ts';
import { SlotTable } from '../engine/kv/tiers/slotTable.ts';
import { timeEncoding } from '../engine/measure/timing.ts';
import { Clusters } from '../engine/retrieval/clusters.ts';
import { bindDiscount } from '../engine/retrieval/discount.ts';
import { clusterTokens, type FarLayout, sinkTokens } from '../engine/retrieval/layout.ts';
import { Selection } from '../engine/retrieval/select.ts';
import { Sketch } from '../engine/retrieval/sketch.ts';
import { bindSketchSelect, SketchSelectScratch, type SketchSelectVariants } from '../engine/retrieval/sketchSelect.ts';
import { openAdapter } from '../host/gpu-worker/adapter.ts';

const { values } = parseArgs({
  options: {
    heads: { type: 'string' },
    'kv-heads': { type: 'string' },
    'head-dim': { type: 'string' },
    planes: { type: 'string', default: '2' },
    tokens: { type: 'string' },
    wanted: { type: 'string' },
    variants: { type: 'string' },
    stages: { type: 'boolean', default: false },
    rounds: { type: 'string', default: '3' },
    small: { type: 'boolean', default: false },
    out: { type: 'string' },
  },
});
const usual = values.small ? { heads: 9, kvHeads: 3, headDim: 64, tokens: 8192 } : { heads: 32, kvHeads: 8, headDim: 128, tokens: 131_072 };
const planes = Number(values.planes);
if (planes !== 1 && planes !== 2 && planes !== 4) throw new Error('--planes takes 1, 2 and 4');
const layout: FarLayout = {
  heads: Number(values.heads ?? usual.heads),
  kvHeads: Number(values['kv-heads'] ?? usual.kvHeads),
  headDim: Number(values['head-dim'] ?? usual.headDim),
  segmentTokens: 512,
  capacityTokens: Number(values.tokens ?? usual.tokens),
  planes,
};
const { heads, kvHeads, headDim, capacityTokens } = layout;
const wanted = Number(values.wanted ?? Math.floor(0.02 * capacityTokens));

type Variant = SketchSelectVariants & { lookup?: Partial<LookupVariant> };

/** Each changes one thing of the usual one. */
const variants: Record<string, Variant> = {
  usual: {},
  'masses apart': { massesApart: true },
  ...Object.fromEntries([64, 128, 256].map((invocations) => [`scan, ${invocations} invocations`, { scan: { invocations } }])),
  ...Object.fromEntries([64, 128, 256].map((invocations) => [`scan, ${invocations} invocations, 2 tokens`, { scan: { invocations, tokensAtOnce: 2 } }])),
  ...Object.fromEntries([1, 4].map((tokensAtOnce) => [`scan, ${tokensAtOnce} tokens`, { scan: { tokensAtOnce } }])),
  ...Object.fromEntries([64, 128, 512].map((mostSplits) => [`scan, ${mostSplits} splits`, { scan: { mostSplits } }])),
  ...Object.fromEntries([1, 2, 4].map((mostWords) => [`scan, ${mostWords} words a load`, { scan: { mostWords } }])),
  ...Object.fromEntries([1, 2].map((mostHeads) => [`scan, ${mostHeads} heads`, { scan: { mostHeads } }])),
  'scan without subgroups': { scan: { subgroups: false } },
  ...Object.fromEntries([128, 256, 1024].map((invocations) => [`select, ${invocations} invocations`, { select: { invocations } }])),
  ...Object.fromEntries([1, 2, 8, 16].map((least) => [`select, ${least} entries an invocation`, { select: { leastEntriesPerInvocation: least } }])),
  ...Object.fromEntries([1, 2, 8].map((writtenAtOnce) => [`select, ${writtenAtOnce} written at once`, { select: { writtenAtOnce } }])),
  'select without subgroups': { select: { subgroups: false } },
  ...Object.fromEntries([128, 256, 1024].map((invocations) => [`lookup, ${invocations} invocations`, { lookup: { invocations } }])),
  ...Object.fromEntries([1, 2, 4].map((atOnce) => [`lookup, ${atOnce} at once`, { lookup: { atOnce } }])),
  'lookup without subgroups': { lookup: { subgroups: false } },
};

interface Chain {
  variant: string;
  /** Its first `most` dispatches; returns their kernels' names. */
  encode(pass: GPUComputePassEncoder, most: number): string[];
}

/** The chains, on the same buffers. */
async function bindChains(device: Device): Promise<Chain[]> {
  const { queue } = device.gpu;
  const storage = (words: number): GPUBuffer => device.memory.storage('kv', 'bench', 4 * words);
  const filled = (buffer: GPUBuffer, word: () => number): void => {
    const part = Uint32Array.from({ length: Math.min(buffer.size / 4, 1 << 20) }, word);
    for (let first = 0; first < buffer.size / 4; first += part.length) queue.writeBuffer(buffer, 4 * first, part, 0, Math.min(part.length, buffer.size / 4 - first));
  };
  const randomWord = (): number => Math.floor(Math.random() * 2 ** 32);
  const sketch = Sketch.create(device, layout, { label: 'bench' });
  filled(sketch.planes, randomWord);
  // A cluster of the segment's, and a scale near 1.
  filled(sketch.tokenWords, () => (Math.floor(Math.random() * 32) << 16) | 0x3c00 | (randomWord() & 0xff));
  const clusters = Clusters.create(device, layout, { label: 'bench' });
  // Integers, and scales near 0.01.
  filled(clusters.centroids, () => 0x3c00_0000 | (randomWord() & 0xffff));
  const queries = storage(heads * headDim);
  queue.writeBuffer(queries, 0, Float32Array.from({ length: heads * headDim }, () => (4 * (Math.random() - 0.5)) / Math.sqrt(headDim)));
  const scratch = new SketchSelectScratch(device, layout, { maxCandidates: 1 });
  const selection = new Selection(device, layout, { maxSelected: wanted, label: 'bench' });
  const step = { sealedTokens: capacityTokens, wanted, oversample: 1, scanPlanes: planes };
  scratch.write(step);
  const slots = sinkTokens + wanted;
  const lookups = new LookupUniforms(device);
  lookups.begin({}, { room: wanted, requestLimit: wanted });
  const [list, listCounts, counts, remaining] = [kvHeads * slots, kvHeads, ...[0, 1].map(() => (kvHeads * capacityTokens) / clusterTokens)].map(storage);
  const shared = { layout, slots, maxSelected: wanted };
  const table = new SlotTable(device, 'bench', shared);
  const discount = await bindDiscount(device, { layout, selectionTokens: selection.tokens, selectionCounts: selection.counts, maxSelected: wanted, tokenWords: sketch.tokenWords, counts, remaining });
  const asked = values.variants?.split(',');
  const chosen = Object.entries(variants).filter(([name]) => !asked || asked.some((start) => name.startsWith(start)));
  return Promise.all(
    chosen.map(async ([variant, { lookup: lookupVariant, ...choice }]) => {
      const select = await bindSketchSelect(device, { layout, sketch, clusters, queries, scratch, selection, variants: choice });
      const lookup = await bindSlotLookup(device, { ...shared, table, selection, list, listCounts, listCapacity: slots, numbers: lookups.first, waiting: true, variant: lookupVariant });
      return {
        variant,
        encode: (pass, most) => {
          const counted = new CountedPass(pass, most);
          select.encode(counted.pass, step);
          lookup.encode(counted.pass);
          discount.encode(counted.pass, capacityTokens / clusterTokens);
          return counted.names;
        },
      };
    }),
  );
}

/** Hands the first dispatches on to a pass. */
class CountedPass {
  readonly names: string[] = [];
  readonly pass: GPUComputePassEncoder;

  constructor(inner: GPUComputePassEncoder, most: number) {
    let name = '';
    this.pass = {
      setPipeline: (pipeline: GPUComputePipeline) => {
        name = pipeline.label;
        if (this.names.length < most) inner.setPipeline(pipeline);
      },
      setBindGroup: (index: number, bindings: GPUBindGroup) => {
        if (this.names.length < most) inner.setBindGroup(index, bindings);
      },
      dispatchWorkgroups: (x: number, y: number, z: number) => {
        if (this.names.length < most) inner.dispatchWorkgroups(x, y, z);
        this.names.push(name);
      },
    } as GPUComputePassEncoder;
  }
}

const device = await openAdapter({ boundsChecks: false });
const chains = await bindChains(device);
const best = new Map<string, { wholeMicroseconds: number; untilMicroseconds: number[]; names: string[] }>();
const time = async (chain: Chain, most: number): Promise<number> => 1000 * (await timeEncoding(device, (pass) => void chain.encode(pass, most))).ms;
for (let round = 0; round < Number(values.rounds); round++) {
  for (const chain of chains) {
    let names: string[] = [];
    // Once, and alone: what is chosen lies in slots afterwards.
    await timeEncoding(device, (pass) => void (names = chain.encode(pass, Infinity)), { passes: 1, passMs: 0 });
    const before = best.get(chain.variant);
    const untilMicroseconds: number[] = [];
    for (let most = 1; values.stages && most < names.length; most++) untilMicroseconds.push(Math.min(before?.untilMicroseconds[most - 1] ?? Infinity, await time(chain, most)));
    best.set(chain.variant, { names, untilMicroseconds, wholeMicroseconds: Math.min(before?.wholeMicroseconds ?? Infinity, await time(chain, Infinity)) });
  }
}
const rounded = (microseconds: number): number => Math.round(10 * microseconds) / 10;
for (const [variant, { wholeMicroseconds, untilMicroseconds, names }] of best) {
  const until = [...untilMicroseconds, wholeMicroseconds];
  const stages = values.stages ? names.map((name, i) => [name, rounded(until[i] - (until[i - 1] ?? 0))]) : undefined;
  const line = JSON.stringify({ bench: 'choiceTimes', adapter: device.facts.name, heads, kvHeads, headDim, planes, tokens: capacityTokens, wanted, variant, microseconds: rounded(wholeMicroseconds), stages });
  console.log(line);
  if (values.out) appendFileSync(values.out, `${line}\n`);
}
device.destroy();
process.exit(0);
