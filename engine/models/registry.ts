/** Every family the engine knows. Adding one is a file beside these and a line here. */
import { EngineError } from '../errors.ts';
import type { GgufFile } from '../formats/gguf/readGguf.ts';
import { checkShapes, checkTensors, type Family } from './family.ts';
import { gemma3 } from './gemma3.ts';
import { granite } from './granite.ts';
import { llama } from './llama.ts';
import { mistral3 } from './mistral3.ts';
import { phi3 } from './phi3.ts';
import { qwen2 } from './qwen2.ts';
import { qwen3 } from './qwen3.ts';
import { qwen3moe } from './qwen3moe.ts';
import { smollm3 } from './smollm3.ts';
import type { ModelSpec } from './spec.ts';

const families: readonly Family[] = [llama, gemma3, qwen2, qwen3, qwen3moe, phi3, smollm3, granite, mistral3];

export const supportedArchitectures: readonly string[] = families.flatMap((family) => family.architectures);

/** Reads the header as the family it names. Throws `unknown-architecture` or `model-incomplete`. */
export function describeModel(file: GgufFile): ModelSpec {
  const architecture = file.metadata.string('general.architecture');
  const family = families.find((candidate) => candidate.architectures.includes(architecture));
  if (!family) {
    throw new EngineError(
      'unknown-architecture',
      `The model's architecture is "${architecture}"; Longleaf knows ${supportedArchitectures.join(', ')}.`,
      'Choose a model of one of these architectures.',
    );
  }
  const spec = family.describe(file);
  checkTensors(file, spec);
  checkShapes(file, spec);
  return spec;
}
