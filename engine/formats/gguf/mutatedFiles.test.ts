import { describe, expect, it } from 'vitest';
import { EngineError } from '../../errors.ts';
import { encodeTensor } from '../quantisation/testing/encodeTensor.ts';
import { seededRandom } from '../quantisation/testing/seededRandom.ts';
import type { GgufMetadata } from './metadata.ts';
import { readGguf } from './readGguf.ts';
import { cpuMilliseconds } from './testing/cpuMilliseconds.ts';
import { memorySource } from './testing/memorySource.ts';
import { writeGguf } from './testing/writeGguf.ts';

/** Set LONGLEAF_FUZZ_CASES (and LONGLEAF_FUZZ_SEED) for a longer hunt than the usual run. */
const caseCount = Number(process.env.LONGLEAF_FUZZ_CASES ?? 20_000);
const firstSeed = Number(process.env.LONGLEAF_FUZZ_SEED ?? 1);
const slowestMilliseconds = 50;

const valid = writeGguf({
  metadata: {
    'general.architecture': { type: 'string', value: 'llama' },
    'general.alignment': { type: 'uint32', value: 32 },
    'llama.block_count': { type: 'uint64', value: 2 },
    'llama.rope.freq_base': { type: 'float32', value: 10000 },
    'llama.causal': { type: 'bool', value: true },
    'tokenizer.ggml.tokens': { type: 'array', elementType: 'string', value: ['<s>', 'a', 'é', '日本'] },
    'tokenizer.ggml.scores': { type: 'array', elementType: 'float64', value: [0, -1, -2, -3] },
    'llama.pattern': { type: 'array', elementType: 'bool', value: [true, false] },
  },
  tensors: [
    { name: 'token_embd.weight', dims: [32, 2], type: 'Q8_0', bytes: encodeTensor('Q8_0', new Float32Array(64)) },
    { name: 'output_norm.weight', dims: [4], type: 'F32', bytes: encodeTensor('F32', new Float32Array(4)) },
    { name: 'blk.0.k.weight', dims: [32, 1, 2], type: 'Q4_0', bytes: encodeTensor('Q4_0', new Float32Array(64)) },
  ],
});

/** Numbers at which readers tend to go wrong. */
const awkwardNumbers = [0n, 1n, 2n ** 16n, 2n ** 31n, 2n ** 32n - 1n, 2n ** 40n, 2n ** 53n, 2n ** 60n, 2n ** 63n, 2n ** 64n - 1n];

/** Changes a file in one to four of the ways that damage and malice do. */
function mutate(file: Uint8Array, random: () => number): Uint8Array {
  const below = (limit: number) => Math.floor(random() * limit);
  let bytes = file.slice();
  for (let change = below(4); change >= 0 && bytes.length > 8; change--) {
    const at = below(bytes.length - 8);
    const length = below(16);
    switch (below(7)) {
      case 0:
        bytes[at] ^= 1 << below(8);
        break;
      case 1:
        bytes[at] = below(256);
        break;
      case 2:
        new DataView(bytes.buffer).setBigUint64(at, awkwardNumbers[below(awkwardNumbers.length)], true);
        break;
      case 3:
        new DataView(bytes.buffer).setUint32(at, below(64), true);
        break;
      case 4:
        bytes = bytes.slice(0, at);
        break;
      case 5:
        bytes.copyWithin(at, below(bytes.length), bytes.length - length);
        break;
      case 6:
        bytes = Uint8Array.of(...bytes.subarray(0, at), ...bytes.subarray(at + length));
        break;
    }
  }
  return bytes;
}

/** Asks every key for every kind of value, as a program that trusts nothing would. */
function readEverything(metadata: GgufMetadata): void {
  for (const key of metadata.keys()) {
    for (const getter of ['string', 'integer', 'number', 'boolean', 'strings', 'numbers', 'booleans'] as const) {
      try {
        metadata[getter](key);
      } catch (error) {
        if (!(error instanceof EngineError)) throw error;
      }
    }
  }
}

/** Reads a file as far as it goes; returns the code of its failure, or 'read'. Throws what is no EngineError. */
async function outcomeOf(bytes: Uint8Array): Promise<string> {
  const source = memorySource(bytes);
  let outcome = 'read';
  try {
    const { metadata, tensors } = await readGguf(source);
    readEverything(metadata);
    for (const { offsetBytes, sizeBytes } of tensors.values()) {
      if (offsetBytes + sizeBytes > bytes.length) throw new RangeError('A tensor passes the end of the file.');
    }
  } catch (error) {
    if (!(error instanceof EngineError)) throw error;
    outcome = error.code;
  }
  if (source.readBytes > 2 * bytes.length) throw new RangeError('More than twice the file was read.');
  return outcome;
}

describe('mutated files', () => {
  it(
    `gives an answer or an EngineError, quickly, for ${caseCount} of them`,
    async () => {
      const outcomes = new Map<string, number>();
      for (let seed = firstSeed; seed < firstSeed + caseCount; seed++) {
        const bytes = mutate(valid, seededRandom(seed));
        const started = performance.now();
        const outcome = await outcomeOf(bytes).catch((cause: unknown) => {
          throw new Error(`Seed ${seed} failed.`, { cause });
        });
        outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
        if (performance.now() - started > slowestMilliseconds) {
          // A busy machine may pause any case; one that is really slow also takes the processor.
          const again = await cpuMilliseconds(() => outcomeOf(bytes));
          expect(again, `milliseconds for seed ${seed}`).toBeLessThan(slowestMilliseconds);
        }
      }
      // The mutations must reach past the first checks, or the test proves little.
      const expected = ['read', 'gguf-invalid', 'gguf-truncated', 'not-a-gguf', 'unknown-quantisation'];
      expect([...outcomes.keys()]).toEqual(expect.arrayContaining(expected));
      if (process.env.LONGLEAF_FUZZ_CASES) console.log(`GGUF headers: ${caseCount} cases, ${JSON.stringify(Object.fromEntries(outcomes))}`);
    },
    Math.max(60_000, caseCount * 5),
  );
});
