/** The tiny models in engine/testdata/families, with the logits that transformers computed for them. */
import { readdirSync, readFileSync } from 'node:fs';
import { memorySource } from '../formats/gguf/testing/memorySource.ts';
import type { WeightSource } from '../ports.ts';

export interface FamilyCase {
  contextTokens: number;
  tokens: number[];
  /** Of those logits were kept, ascending; the last is the end of the prompt. */
  positions: number[];
  /** [positions][vocabularySize]. */
  logits: Float32Array;
}

const folder = new URL('../testdata/families/', import.meta.url);

export const familyNames: readonly string[] = readdirSync(folder)
  .filter((name) => name.endsWith('.gguf'))
  .map((name) => name.slice(0, -'.gguf'.length));

export function openFamily(name: string): WeightSource {
  return memorySource(readFileSync(new URL(`${name}.gguf`, folder)), `${name}.gguf`);
}

export function familyCases(name: string): FamilyCase[] {
  const { cases } = JSON.parse(readFileSync(new URL(`${name}.json`, folder), 'utf8')) as { cases: (Omit<FamilyCase, 'logits'> & { logits: string })[] };
  return cases.map((one) => ({ ...one, logits: new Float32Array(Uint8Array.from(Buffer.from(one.logits, 'base64')).buffer) }));
}

/** Of two rows of logits, the largest difference, and whether the most likely token is the same. */
export function compareLogits(actual: ArrayLike<number>, expected: ArrayLike<number>): { difference: number; sameTop: boolean } {
  let difference = 0;
  let [top, expectedTop] = [0, 0];
  for (let i = 0; i < expected.length; i++) {
    const error = Math.abs(actual[i] - expected[i]);
    if (!(error <= difference)) difference = Number.isNaN(error) ? Infinity : error;
    if (actual[i] > actual[top]) top = i;
    if (expected[i] > expected[expectedTop]) expectedTop = i;
  }
  return { difference, sameTop: top === expectedTop };
}
