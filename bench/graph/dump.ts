/** Reads a book with a model and keeps the queries and keys of some layers, all on the GPU. */
import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { Readback } from '../../engine/device/readback.ts';
import { mostLikely } from '../../engine/evaluatePolicy.ts';
import type { Part } from '../../engine/layers/part.ts';
import { fullLayers } from '../../engine/kv/tiers/plan.ts';
import { loadModel } from '../../engine/model.ts';
import { createTokenizer } from '../../engine/tokenizer/createTokenizer.ts';
import { openAdapter } from '../../host/gpu-worker/adapter.ts';
import { FileWeightSource } from '../../host/models/fileWeightSource.ts';
import { writeLayer, writeShape } from './dumpFile.ts';

/** Tokens decoded greedily after the book. */
const decode = 64;
/** Of the front matter, which is no prose. */
const skippedCharacters = 60_000;

export async function dumpAttention({ target, model: path, book, tokens: want, layers }: { target: string; model: string; book: string; tokens: number; layers: number[] | null }): Promise<void> {
  const device = await openAdapter({ boundsChecks: false });
  // The caches and the rotated queries are found by their labels.
  const buffers = new Map<string, GPUBuffer>();
  const storage = device.memory.storage.bind(device.memory);
  device.memory.storage = (owner, label, sizeBytes) => {
    const buffer = storage(owner, label, sizeBytes);
    buffers.set(label, buffer);
    return buffer;
  };
  const source = await FileWeightSource.open(path);
  const model = await loadModel(device, source, { contextTokens: want + decode + 16, kvBudgetBytes: Infinity, choices: new Map(), tiers: null });
  await source.close();
  const readback = new Readback(device);
  const { spec, runner, sequence } = model;
  const full = spec.blocks.flatMap(({ mixer }, index) => (mixer.kind === 'full' ? [index] : []));
  const wanted = layers ?? full;
  const { heads, kvHeads, headDim: dim } = fullLayers(spec)[0].mixer;
  const width = heads * dim;
  const queries = new Map(wanted.map((layer) => [layer, new Float32Array((want + decode) * width)]));
  const stage = device.memory.allocate('staging', 'dumped queries', runner.maxRows * width * 4, 0x01 /* MAP_READ */ | 0x08 /* COPY_DST */);
  const keepQueries = (layer: number): Part => ({
    name: 'dump',
    encode: () => undefined,
    work: () => ({ flops: 0, bytes: 0 }),
    between: ({ rows, position }) => async (encoder) => {
      encoder.copyBufferToBuffer(buffers.get('queries') as GPUBuffer, 0, stage, 0, rows * width * 4);
      device.gpu.queue.submit([encoder.finish()]);
      await device.settle(stage.mapAsync(0x01, 0, rows * width * 4));
      queries.get(layer)?.set(new Float32Array(stage.getMappedRange(0, rows * width * 4)), position * width);
      stage.unmap();
    },
  });
  const parts = runner.layers as Part[];
  let layer = -1;
  const withDumps = parts.flatMap((one) => {
    if (one.name !== 'rotary and store') return [one];
    layer++;
    return queries.has(layer) ? [one, keepQueries(layer)] : [one];
  });
  parts.splice(0, parts.length, ...withDumps);

  const tokenizer = createTokenizer(model.file.metadata);
  const text = readFileSync(book, 'utf8').slice(skippedCharacters, skippedCharacters + want * 8);
  const stream = [...(tokenizer.addBos && tokenizer.bos !== undefined ? [tokenizer.bos] : []), ...tokenizer.encode(text)].slice(0, want);
  let toldMs = performance.now();
  await sequence.extend(stream, {
    onProgress: (done, total) => {
      if (performance.now() - toldMs < 10_000) return;
      toldMs = performance.now();
      console.error(`read ${done} of ${total}`);
    },
  });
  for (let step = 0; step < decode; step++) {
    stream.push(mostLikely(await readback.floats(runner.logits, 0, spec.vocabularySize)));
    await sequence.extend(stream, { asDecoding: true });
  }
  for (const index of wanted) {
    const cache = await readback.floats(buffers.get(`layer ${index} keys`) as GPUBuffer, 0, (buffers.get(`layer ${index} keys`) as GPUBuffer).size / 4);
    const slots = cache.length / kvHeads / dim;
    const keys = new Float32Array(kvHeads * want * dim);
    for (let head = 0; head < kvHeads; head++) keys.set(cache.subarray(head * slots * dim, (head * slots + want) * dim), head * want * dim);
    writeLayer(target, index, { queries: queries.get(index) as Float32Array, keys });
  }
  writeShape(target, { model: basename(path), want, decode, heads, kvHeads, dim, layers: wanted });
}
