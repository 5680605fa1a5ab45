/** What a GGUF file says of itself; refuses what the engine cannot run before anything is copied. */
import { basename } from 'node:path';
import type { GgufFile } from '../../engine/formats/gguf/readGguf.ts';
import { readGguf } from '../../engine/formats/gguf/readGguf.ts';
import { describeModel } from '../../engine/models/registry.ts';
import { openModelSource } from './openModelSource.ts';

export interface ModelHeader {
  name: string;
  architecture: string;
  quantisation: string;
  parameters: number;
  contextTokens: number;
  chat: boolean;
  sizeBytes: number;
}

export async function inspectModel(path: string, fileName = basename(path)): Promise<ModelHeader> {
  const source = await openModelSource(path, fileName);
  try {
    const file = await readGguf(source);
    // Throws for an architecture the engine does not know and for missing or misshapen tensors.
    describeModel(file);
    const architecture = file.metadata.string('general.architecture');
    return {
      name: file.metadata.stringOr('general.name', fileName.replace(/\.gguf$/i, '')),
      architecture,
      quantisation: quantisationName(file),
      parameters: countParameters(file),
      contextTokens: file.metadata.integerOr(`${architecture}.context_length`, 0),
      chat: file.metadata.has('tokenizer.chat_template'),
      sizeBytes: source.sizeBytes,
    };
  } finally {
    await source.close();
  }
}

function elements(dims: readonly number[]): number {
  return dims.reduce((product, size) => product * size, 1);
}

export function countParameters(file: GgufFile): number {
  let total = 0;
  for (const tensor of file.tensors.values()) total += elements(tensor.dims);
  return total;
}

/** Names of llama.cpp's mixes, by `general.file_type`; the other numbers are of no format that can be read. */
const mixNames: Record<number, string> = {
  0: 'F32',
  1: 'F16',
  2: 'Q4_0',
  3: 'Q4_1',
  7: 'Q8_0',
  8: 'Q5_0',
  9: 'Q5_1',
  10: 'Q2_K',
  11: 'Q3_K_S',
  12: 'Q3_K_M',
  13: 'Q3_K_L',
  14: 'Q4_K_S',
  15: 'Q4_K_M',
  16: 'Q5_K_S',
  17: 'Q5_K_M',
  18: 'Q6_K',
  25: 'IQ4_NL',
  30: 'IQ4_XS',
  32: 'BF16',
};

/** As people name it; a file that does not say is named by its commonest weights. */
export function quantisationName(file: GgufFile): string {
  return mixNames[file.metadata.integerOr('general.file_type', -1)] ?? commonestWeightType(file);
}

/** The type that holds the most weights of the layers; embeddings are often stored in another. */
function commonestWeightType(file: GgufFile): string {
  const counts = new Map<string, number>();
  for (const tensor of file.tensors.values()) {
    if (tensor.dims.length < 2 || !tensor.name.startsWith('blk.')) continue;
    counts.set(tensor.type, (counts.get(tensor.type) ?? 0) + elements(tensor.dims));
  }
  return [...counts].sort((a, b) => b[1] - a[1])[0]?.[0] ?? 'F32';
}
