/**
 * All rivals of the matrix kernels beside each other on this adapter, which a start only measures the fastest of: one
 * JSON line each, with what it reaches, its share of what the adapter copies, and whether it computes the same as the
 * plain kernel.
 *
 *     node dist/bench/kernelSweep.js [--seconds 240] [--kinds row,tile,fusion] [--tile-rows 512,4096] [--small] [--out FILE.jsonl]
 *
 * Rows (decoding) rotate over 512 MB of weights; tiles (reading) multiply --tile-rows rows by 4096×4096. --small: the
 * same with matrices of a few kilobytes, to see that everything works.
 */
import { appendFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { measureFusion } from '../engine/layers/linear/fusion.ts';
import { measuredFormats, measureRivals, type RivalResult } from '../engine/layers/linear/rivals.ts';
import { scaleWordsPerBlock, unitsPerBlock, type WeightFormat } from '../engine/layers/linear/format.ts';
import { rowCandidates, tileCandidates } from '../engine/layers/linear/workgroup.ts';
import { measureRoofs } from '../engine/measure/roofs.ts';
import { openAdapter } from '../host/gpu-worker/adapter.ts';

const { values } = parseArgs({ options: { seconds: { type: 'string', default: '240' }, kinds: { type: 'string', default: 'row,tile,fusion' }, 'tile-rows': { type: 'string', default: '512,4096' }, small: { type: 'boolean', default: false }, out: { type: 'string' } } });
const endMs = performance.now() + 1000 * Number(values.seconds);

function tell(line: object): void {
  const text = JSON.stringify({ bench: 'kernelSweep', ...line });
  console.log(text);
  if (values.out) appendFileSync(values.out, `${text}\n`);
}

const device = await openAdapter({ boundsChecks: false });
const roofs = await measureRoofs(device);
tell({ adapter: device.facts.name, matrixShapes: device.facts.matrixShapes, roofs });

const size = values.small
  ? { inputs: 256, outputs: [256], tileRows: [24], rotatedBytes: 1e5 }
  : { inputs: 4096, outputs: [4096, 1024, 16384], tileRows: values['tile-rows'].split(',').map(Number), rotatedBytes: 512e6 };

function weightBytes(format: WeightFormat, outputs: number): number {
  return outputs * (size.inputs / 32) * (unitsPerBlock(format) * 16 + scaleWordsPerBlock(format) * 4);
}

function report(kind: string, codes: string, shape: { rows: number; outputs: number }, results: readonly RivalResult[]): void {
  const flops = 2 * shape.rows * shape.outputs * size.inputs;
  for (const { variant, ms, wrong } of results) {
    const bytes = weightBytes(measuredFormats[codes as keyof typeof measuredFormats], shape.outputs) + 4 * shape.rows * (size.inputs + shape.outputs);
    const gigabytesPerSecond = bytes / ms / 1e6;
    tell({ kind, codes, inputs: size.inputs, ...shape, variant: variant.name, microseconds: 1000 * ms, gigabytesPerSecond, copyShare: gigabytesPerSecond / roofs.copyGigabytesPerSecond, teraflops: flops / ms / 1e9, wrong });
  }
}

const kinds = new Set(values.kinds.split(','));

/** Runs what was asked for and there is time for, and says what there was none for. */
async function inTime(kind: 'row' | 'tile' | 'fusion', what: string, work: () => Promise<void>): Promise<void> {
  if (!kinds.has(kind)) return;
  if (performance.now() < endMs) await work();
  else tell({ skipped: what });
}

// What decides most comes first: 4-bit and 8-bit weights, large matrices, then the rest.
for (const outputs of size.outputs) {
  for (const [codes, format] of Object.entries(measuredFormats)) {
    await inTime('row', `rows of ${outputs} outputs, ${codes}`, async () => {
      const shape = { rows: 1, outputs };
      report('row', codes, shape, await measureRivals(device, { rivals: rowCandidates(device), format, inputs: size.inputs, ...shape }, size.rotatedBytes));
    });
  }
}
for (const rows of size.tileRows) {
  for (const [codes, format] of Object.entries(measuredFormats)) {
    // Large tiles of subgroup matrices take the processor minutes to compile.
    const rivals = values.small ? tileCandidates(device).slice(0, 1) : tileCandidates(device, true);
    await inTime('tile', `tiles of ${rows} rows, ${codes}`, async () => {
      const shape = { rows, outputs: size.inputs };
      report('tile', codes, shape, await measureRivals(device, { rivals, format, inputs: size.inputs, ...shape }));
    });
  }
}
const apart = { row: () => undefined, tile: () => undefined, fuses: false };
await inTime('fusion', 'norm and gate of a row', async () => {
  const shape = values.small ? { inputs: 256, outputs: 512 } : { inputs: 4096, outputs: 28672 };
  tell({ kind: 'norm and gate of a row', ...shape, ...(await measureFusion(device, apart, measuredFormats.u4, shape)) });
});
device.destroy();
process.exit(0);
