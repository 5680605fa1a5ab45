/**
 * What keys and values depend on besides the tokens: the model's weights and header (rope among its keys), the formats
 * in which they are stored, and the engine's epoch.
 */
import { createHash } from 'node:crypto';
import { engineEpoch } from '../../engine/kept/parts.ts';
import { KvCache } from '../../engine/kv/cache.ts';
import { nameOfReading } from '../../engine/layers/sparseReading/sparseReading.ts';
import { divisorsFor } from '../../engine/layers/rotary.ts';
import { StateCache } from '../../engine/layers/recurrent/stateCache.ts';
import type { LoadedModel } from '../../engine/model.ts';
import type { WeightSource } from '../../engine/ports.ts';

/** Pieces of the weights that are looked at: two models of one header and size differ in all layers, so in all pieces. */
const samples = 256;
const sampleBytes = 4096;

/** SHA-256 over the header and samples of the weights: reading gigabytes at every start would cost more than it guards. */
export async function hashModel(source: WeightSource, dataOffsetBytes: number): Promise<string> {
  const hash = createHash('sha256');
  hash.update(`${source.sizeBytes}\n`);
  hash.update(await source.read(0, dataOffsetBytes));
  const dataBytes = source.sizeBytes - dataOffsetBytes;
  const sample = (i: number): Promise<Uint8Array> => {
    const offset = dataOffsetBytes + Math.floor((i * Math.max(0, dataBytes - sampleBytes)) / (samples - 1));
    return source.read(offset, Math.min(sampleBytes, source.sizeBytes - offset));
  };
  // All at once: one after another they would wait for a disk 256 times.
  for (const bytes of await Promise.all(Array.from({ length: samples }, (_, i) => sample(i)))) hash.update(bytes);
  return hash.digest('hex');
}

export function fingerprintOf(modelHash: string, { runner }: LoadedModel): string {
  const formats = runner.caches.flatMap((cache) => {
    if (cache instanceof KvCache) return [cache.layout.format];
    return cache instanceof StateCache ? [] : [runner.far?.plan.format ?? 'f16'];
  });
  // Models with two sets of rotary divisors turn the keys of a long context otherwise than those of a short one.
  const stretched = runner.spec.blocks.flatMap(({ mixer }) => (mixer.kind !== 'linear' && mixer.rotary.longDivisors ? [divisorsFor(mixer.rotary, runner.contextTokens)] : []));
  return [`epoch ${engineEpoch}`, `model ${modelHash}`, [...new Set(formats)].join('+'), ...new Set(stretched), ...(runner.sparseReading ? [nameOfReading(runner.sparseReading)] : [])].join(', ');
}
