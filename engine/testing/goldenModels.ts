/** The two real models of the golden tests, found in the folder that LONGLEAF_TEST_MODELS names. */
import { join } from 'node:path';
import { FileWeightSource } from '../../host/models/fileWeightSource.ts';

export const goldenModels = {
  smollm2: { fileName: 'SmolLM2-135M-Instruct.Q4_1.gguf', golden: 'smollm2-135m-instruct-q4_1' },
  gemma3: { fileName: 'gemma-3-270m-q4_k_m.gguf', golden: 'gemma-3-270m-q4_k_m' },
} as const;

export function openGoldenModel(name: keyof typeof goldenModels): Promise<FileWeightSource> {
  const folder = process.env.LONGLEAF_TEST_MODELS;
  if (!folder) throw new Error('LONGLEAF_TEST_MODELS must name the folder with the two test models; `npm test` sets it.');
  return FileWeightSource.open(join(folder, goldenModels[name].fileName));
}
