/** Reads a book with a model and keeps the queries and keys of some layers, all on the GPU. */
import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { Readback } from '../../engine/device/readback.ts';
import { mostLikely } from '../../engine/evaluatePolicy.ts';
import { halfToFloat } from '../../engine/formats/half.ts';
import type { KvCache } from '../../engine/kv/cache.ts';
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
  const source = await FileWeightSource.open(path);
  const model = await loadModel(device, source, { contextTokens: want + decode + 16, kvBudgetBytes: Infinity, choices: new Map(), tiers: null });
  await source.close();
  const readback = new Readback(device);
  const { spec, runner, sequence } = model;
  const full = spec.blocks.flatMap(({ mixer }, index) => (mixer.kind === 'full' ? [index] : []));
  const wanted = layers ?? full;
  const { heads, kvHeads, headDim: dim } = fullLayers(spec)[0].mixer;
  const attending = spec.blocks.flatMap(({ mixer }, index) => (mixer.kind === 'linear' ? [] : [index]));
  await runner.tap.open({ firstPosition: 0, rows: want + decode });

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
    const cache = runner.caches[index] as KvCache;
    const { capacitySlots, format } = cache.layout;
    const stored = kvHeads * capacitySlots * dim;
    const vectors = format === 'f16' ? Float32Array.from(new Uint16Array(await readback.read(cache.keys, 0, 2 * stored)), halfToFloat) : await readback.floats(cache.keys, 0, stored);
    const keys = new Float32Array(kvHeads * want * dim);
    for (let head = 0; head < kvHeads; head++) keys.set(vectors.subarray(head * capacitySlots * dim, (head * capacitySlots + want) * dim), head * want * dim);
    writeLayer(target, index, { queries: await readback.floats(runner.tap.kept(attending.indexOf(index)), 0, (want + decode) * heads * dim), keys });
  }
  writeShape(target, { model: basename(path), want, decode, heads, kvHeads, dim, layers: wanted });
}
