/** Every family the engine knows. Adding one is a file beside these and a line here. */
import { EngineError } from '../errors.ts';
import type { GgufFile } from '../formats/gguf/readGguf.ts';
import { checkShapes, checkTensors, type Family } from './family.ts';
import { gemma3 } from './gemma3.ts';
import { llama } from './llama.ts';
import type { ModelSpec } from './spec.ts';

const families: readonly Family[] = [llama, gemma3];

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
