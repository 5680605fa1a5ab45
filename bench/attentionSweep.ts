/**
 * Ways to attend by subgroup matrices beside each other on this adapter, more of them than a start measures: one JSON
 * line each, with what it reaches and whether it computes the same as the plain kernel.
 *
 *     node dist/bench/attentionSweep.js [--seconds 240] [--small] [--out FILE.jsonl]
 *
 * Chunks of 1024 and 512 rows after 8K and 32K tokens, 32 heads over 8 of 128 and 64 dimensions, keys and values in f16.
 * The most promising ways come first, at every shape; then the others. --small: two of them for heads of 16 dimensions, to see
 * that everything works.
 */
import { appendFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { keysOf } from '../engine/layers/attention/variants.ts';
import { measureAttention, plainKernels } from '../engine/layers/attention/choice.ts';
import { flashVariants, sweptTiles } from '../engine/layers/attention/matrixFlash.ts';
import type { AttentionVariant } from '../engine/layers/attention/variants.ts';
import type { Step } from '../engine/layers/step.ts';
import { openAdapter } from '../host/gpu-worker/adapter.ts';

const { values } = parseArgs({ options: { seconds: { type: 'string', default: '240' }, small: { type: 'boolean', default: false }, out: { type: 'string' } } });
const endMs = performance.now() + 1000 * Number(values.seconds);

function tell(line: object): void {
  const text = JSON.stringify({ bench: 'attentionSweep', ...line });
  console.log(text);
  if (values.out) appendFileSync(values.out, `${text}\n`);
}

const device = await openAdapter({ boundsChecks: false });
tell({ adapter: device.facts.name, matrixShapes: device.facts.matrixShapes });

const size = values.small
  ? { heads: 4, kvHeads: 2, headDims: [16], steps: [{ rows: 24, position: 100 }], first: 1, ways: sweptTiles.filter(({ rowFragments, keys }) => rowFragments === 1 && keys === 32).slice(0, 2) }
  : { heads: 32, kvHeads: 8, headDims: [128, 64], steps: [8192, 32768].flatMap((position) => [1024, 512].map((rows) => ({ rows, position }))), first: 6, ways: sweptTiles };

/** Of scores and of sums of values: the row at `position` sees itself and those before. */
function flops({ rows, position }: Step, headDim: number): number {
  return 4 * size.heads * headDim * (rows * position + (rows * (rows + 1)) / 2);
}

/** What takes a driver long to compile often leaves its registers. */
async function compile(headDim: number, variants: readonly AttentionVariant[]): Promise<void> {
  await Promise.all(
    variants.map(async (variant) => {
      const startMs = performance.now();
      const failure = await variant.kernel().then(
        () => null,
        (error: unknown) => String(error),
      );
      tell({ kind: 'compiled', headDim, variant: variant.name, ms: performance.now() - startMs, failure });
    }),
  );
}

for (const ways of [size.ways.slice(0, size.first), size.ways.slice(size.first)].filter(({ length }) => length > 0)) {
  for (const headDim of size.headDims) {
    for (const [index, step] of size.steps.entries()) {
      const shape = { heads: size.heads, kvHeads: size.kvHeads, headDim, ...step };
      if (performance.now() > endMs) {
        tell({ skipped: shape, ways: ways.length });
        continue;
      }
      const keys = keysOf({ format: 'f16', kvHeads: size.kvHeads, headDim, capacitySlots: step.position + step.rows }, size.heads);
      const variants = flashVariants(device, keys, ways);
      if (index === 0) await compile(headDim, variants);
      for (const { variant, ms, wrong } of await measureAttention(device, keys, [plainKernels(device, keys).read, ...variants], step)) {
        tell({ kind: 'read', ...shape, variant: variant.name, ms, teraflops: flops(step, headDim) / ms / 1e9, wrong });
      }
    }
  }
}
device.destroy();
process.exit(0);
