import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Device } from '../../device/device.ts';
import { type EvictingSpec, evictingState, routerLead } from '../../models/evictingSpec.ts';
import { keptTokens, RouterReference } from '../../reference/evicting.ts';
import { openTestDevice, upload } from '../../testing/device.ts';
import { largestDifference, randomFloats, randomNumbers, runStep } from '../attention/testing.ts';
import { StateCache } from '../recurrent/stateCache.ts';
import { StepUniform } from '../step.ts';
import { bindEviction, bindEvictingAttention } from './eviction.ts';
import { bindRetentionScores, bindScoreConvolution } from './router.ts';

let device: Device;
beforeAll(async () => {
  device = await openTestDevice();
});
afterAll(() => device.destroy());

const storage = (values: number): GPUBuffer => device.memory.storage('activations', 'test', 4 * values);

function specOf(shape: { heads: number; kvHeads: number; headDim: number; windowTokens: number; budgetTokens: number; sinkTokens: number }): EvictingSpec {
  const widths = [2 * shape.headDim, shape.headDim, shape.headDim / 2, shape.headDim / 4];
  const tensor = { name: '', dims: [] };
  const convolutions = widths.slice(1).map((outputs, stage) => ({ inputs: widths[stage], outputs, weight: tensor, bias: tensor }));
  return { ...shape, kind: 'evicting', router: { convolutions, score: { weight: tensor, bias: tensor } } } as unknown as EvictingSpec;
}

test.each([{ kvHeads: 1, headDim: 4 }, { kvHeads: 3, headDim: 8 }])('the network of $kvHeads heads of $headDim, however the rows are cut', async ({ kvHeads, headDim }) => {
  const spec = specOf({ heads: kvHeads, kvHeads, headDim, windowTokens: 8, budgetTokens: 4, sinkTokens: 0 });
  const { convolutions } = spec.router;
  const [rows, heads] = [30, 2];
  const stride = (heads + 2 * kvHeads) * headDim;
  const projections = randomFloats(rows * stride, 1);
  const numbers = {
    convolutions: convolutions.map(({ inputs, outputs }, i) => ({ weight: randomFloats(kvHeads * outputs * inputs * 3, 2 + i), bias: randomFloats(kvHeads * outputs, 5 + i) })),
    score: { weight: randomFloats((kvHeads * headDim) / 4, 8), bias: randomFloats(kvHeads, 9) },
  };
  const references = Array.from({ length: kvHeads }, (_, head) => {
    const part = (row: number, offset: number): Float32Array => projections.subarray(row * stride + offset + head * headDim, row * stride + offset + (head + 1) * headDim);
    const judged = Array.from({ length: rows }, (_, row) => [...part(row, heads * headDim), ...part(row, (heads + kvHeads) * headDim)]);
    return new RouterReference(convolutions, numbers, head, judged);
  });
  for (const chunks of [[rows], [1, 2, 5, 22], Array<number>(rows).fill(1)]) {
    const cache = new StateCache(device, 'test', spec);
    const uniform = new StepUniform(device);
    const input = storage(rows * stride);
    const outputs = convolutions.map((one) => storage(rows * kvHeads * one.outputs));
    const { rows: tails } = evictingState(spec);
    const stages = await Promise.all(
      convolutions.map((one, stage) =>
        bindScoreConvolution(device, {
          input: stage === 0 ? input : outputs[stage - 1],
          stride: stage === 0 ? stride : kvHeads * one.inputs,
          firstOffset: stage === 0 ? heads * headDim : 0,
          secondOffset: stage === 0 ? (heads + kvHeads) * headDim : 0,
          split: stage === 0 ? headDim : one.inputs,
          groups: kvHeads,
          inputs: one.inputs,
          outputs: one.outputs,
          weight: upload(device, numbers.convolutions[stage].weight),
          bias: upload(device, numbers.convolutions[stage].bias),
          cache,
          tail: tails[stage],
          delayRows: 2 * (stage + 1),
          output: outputs[stage],
          step: uniform.buffer,
        }),
      ),
    );
    const scores = storage(kvHeads * rows);
    const score = await bindRetentionScores(device, { input: outputs[2], groups: kvHeads, inputs: headDim / 4, weight: upload(device, numbers.score.weight), bias: upload(device, numbers.score.bias), scores, maxRows: rows, step: uniform.buffer });
    const whole = { encode: (pass: GPUComputePassEncoder, step: { rows: number; position: number }) => [...stages, score].forEach((one) => one.encode(pass, step)) };
    let position = 0;
    for (const count of chunks) {
      device.gpu.queue.writeBuffer(input, 0, projections, position * stride, count * stride);
      const actual = await runStep(device, whole, uniform, { rows: count, position }, scores, kvHeads * rows);
      for (let row = 0; row < count; row++) {
        const token = position + row - routerLead;
        if (token < 0) continue;
        for (const [head, reference] of references.entries()) expect(Math.abs(actual[head * rows + row] - reference.score(token)), `token ${token}`).toBeLessThan(2e-4);
      }
      position += count;
    }
    cache.free();
  }
});

test.each([
  { heads: 2, kvHeads: 1, headDim: 8, windowTokens: 7, budgetTokens: 5, sinkTokens: 2, total: 60, scale: 1 },
  { heads: 6, kvHeads: 3, headDim: 36, windowTokens: 20, budgetTokens: 70, sinkTokens: 0, total: 130, scale: 1 },
  { heads: 2, kvHeads: 2, headDim: 64, windowTokens: 16, budgetTokens: 8, sinkTokens: 8, total: 50, scale: 40 },
  { heads: 1, kvHeads: 1, headDim: 4, windowTokens: 9, budgetTokens: 1, sinkTokens: 0, total: 40, scale: 1 },
])('$heads heads over a window of $windowTokens and the best $budgetTokens of $total tokens', async (shape) => {
  const { heads, kvHeads, headDim, total, scale, windowTokens } = shape;
  const spec = specOf(shape);
  const queries = randomFloats(total * heads * headDim, 1, scale);
  const [keys, values] = [randomFloats(total * kvHeads * headDim, 2), randomFloats(total * kvHeads * headDim, 3)];
  // Few different scores, so that many are equal, and some are not above 0.
  const next = randomNumbers(4);
  const scores = Array.from({ length: kvHeads }, () => Float32Array.from({ length: total }, () => Math.round(4 * next() + 1) / 2));
  const expected = new Float64Array(total * heads * headDim);
  for (let position = 0; position < total; position++) {
    for (let head = 0; head < heads; head++) {
      const kvHead = Math.floor(head / (heads / kvHeads));
      const seen = keptTokens(spec, position, (token) => scores[kvHead][token]);
      const at = (token: number): number => (token * kvHeads + kvHead) * headDim;
      const query = queries.subarray((position * heads + head) * headDim, (position * heads + head + 1) * headDim);
      const logits = seen.map((token) => query.reduce((sum, x, i) => sum + x * keys[at(token) + i], 0));
      const top = Math.max(...logits);
      const shares = logits.map((logit) => Math.exp(logit - top));
      const sum = shares.reduce((a, b) => a + b, 0);
      seen.forEach((token, i) => {
        for (let d = 0; d < headDim; d++) expected[(position * heads + head) * headDim + d] += (shares[i] / sum) * values[at(token) + d];
      });
    }
  }
  let state: Float32Array | null = null;
  for (const chunks of [[total], [windowTokens, total - windowTokens - 3, 3], [1, 2, ...Array<number>(Math.floor((total - 3) / 4)).fill(4), (total - 3) % 4].filter((count) => count > 0)]) {
    const cache = new StateCache(device, 'test', spec);
    const uniform = new StepUniform(device);
    const maxRows = total;
    const io = { keys: storage(kvHeads * maxRows * headDim), values: storage(kvHeads * maxRows * headDim), scores: storage(kvHeads * maxRows), until: storage(kvHeads * (shape.budgetTokens + windowTokens + maxRows)), sources: storage(kvHeads * (shape.budgetTokens + windowTokens)) };
    const [queryBuffer, output] = [storage(total * heads * headDim), storage(total * heads * headDim)];
    const common = { ...io, spec, cache, step: uniform.buffer, maxRows };
    const { plan, gather } = await bindEviction(device, common);
    const attend = await bindEvictingAttention(device, { ...common, queries: queryBuffer, output });
    const whole = { encode: (pass: GPUComputePassEncoder, step: { rows: number; position: number }) => [plan, attend, gather].forEach((one) => one.encode(pass, step)) };
    let position = 0;
    for (const count of chunks) {
      device.gpu.queue.writeBuffer(queryBuffer, 0, queries, position * heads * headDim, count * heads * headDim);
      for (let row = 0; row < count; row++) {
        for (let head = 0; head < kvHeads; head++) {
          const from = ((position + row) * kvHeads + head) * headDim;
          const to = 4 * (head * maxRows + ((position + row) % maxRows)) * headDim;
          device.gpu.queue.writeBuffer(io.keys, to, keys, from, headDim);
          device.gpu.queue.writeBuffer(io.values, to, values, from, headDim);
          if (position + row >= routerLead) device.gpu.queue.writeBuffer(io.scores, 4 * (head * maxRows + row), scores[head], position + row - routerLead, 1);
        }
      }
      const actual = await runStep(device, whole, uniform, { rows: count, position }, output, count * heads * headDim);
      expect(largestDifference(actual, expected.subarray(position * heads * headDim, (position + count) * heads * headDim)), `${chunks.join('+')} at ${position}`).toBeLessThan(2e-5);
      position += count;
    }
    // What is kept afterwards is the same, slot by slot, however the rows were cut.
    const [matrix] = cache.rangesAt(total);
    const kept = await runStep(device, { encode: () => undefined }, uniform, { rows: 1, position: 0 }, matrix.buffer, matrix.sizeBytes / 4);
    state ??= kept;
    expect(kept).toEqual(state);
    cache.free();
  }
});

test('heads that do not fit a workgroup are refused', async () => {
  const spec = specOf({ heads: 1, kvHeads: 1, headDim: 260, windowTokens: 8, budgetTokens: 4, sinkTokens: 0 });
  const buffer = storage(4);
  const io = { keys: buffer, values: buffer, until: buffer, spec, cache: new StateCache(device, 'test', spec), queries: buffer, output: buffer, step: buffer, maxRows: 1 };
  await expect(bindEvictingAttention(device, io)).rejects.toThrow('heads of 260');
});
