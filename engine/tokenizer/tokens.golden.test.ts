import { open, readFile, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readGguf } from '../formats/gguf/readGguf.ts';
import type { WeightSource } from '../ports.ts';
import { createTokenizer } from './createTokenizer.ts';
import type { Tokenizer } from './tokenizer.ts';

interface GoldenCase {
  readonly name: string;
  readonly text: string;
  readonly tokens: readonly number[];
}

const folder = process.env.LONGLEAF_TEST_MODELS;
if (folder === undefined) throw new Error('Set LONGLEAF_TEST_MODELS to the folder of the two test models.');

describe.each([
  ['SmolLM2-135M-Instruct.Q4_1.gguf', 'smollm2-135m-instruct', { addBos: false, ends: ['<|endoftext|>', '<|im_end|>'] }],
  ['gemma-3-270m-q4_k_m.gguf', 'gemma-3-270m', { addBos: true, ends: ['<end_of_turn>', '<eos>'] }],
])('the tokenizer of %s', (fileName, casesName, expected) => {
  let file: FileHandle;
  let tokenizer: Tokenizer;
  let cases: readonly GoldenCase[];

  beforeAll(async () => {
    file = await open(join(folder, fileName));
    const { metadata } = await readGguf(await sourceOf(file, fileName));
    tokenizer = createTokenizer(metadata);
    const casesFile = new URL(`./testdata/${casesName}.tokens.json`, import.meta.url);
    cases = JSON.parse(await readFile(casesFile, 'utf8')) as GoldenCase[];
  });
  afterAll(() => file.close());

  it('gives the tokens of llama.cpp for every text', () => {
    expect(cases.length).toBeGreaterThan(0);
    for (const { name, text, tokens } of cases) {
      expect({ name, tokens: tokenizer.encode(text) }).toEqual({ name, tokens });
      expect(tokenizer.decode(tokens)).toBe(text);
    }
  });

  it('makes no control token out of its name in a document', () => {
    for (let token = 0; token < tokenizer.vocabularySize; token++) {
      if (tokenizer.isControl(token)) expect(tokenizer.encode(`x ${tokenizer.tokenText(token)} y`)).not.toContain(token);
    }
  });

  it('reads the ends of an answer and whether BOS is added', () => {
    expect(tokenizer.addBos).toBe(expected.addBos);
    expect([...tokenizer.endTokens].map((token) => tokenizer.tokenText(token)).toSorted()).toEqual(expected.ends);
  });
});

async function sourceOf(file: FileHandle, name: string): Promise<WeightSource> {
  const { size } = await file.stat();
  return {
    name,
    sizeBytes: size,
    read: async (offsetBytes, lengthBytes) => {
      const bytes = new Uint8Array(lengthBytes);
      const { bytesRead } = await file.read(bytes, 0, lengthBytes, offsetBytes);
      return bytes.subarray(0, bytesRead);
    },
  };
}
