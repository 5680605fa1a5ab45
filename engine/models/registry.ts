/** Every family the engine knows. Adding one is a file beside these and a line here. */
import { EngineError } from '../errors.ts';
import type { GgufFile } from '../formats/gguf/readGguf.ts';
import { checkShapes, checkTensors, type Family } from './family.ts';
import { gemma3 } from './gemma3.ts';
import { granite } from './granite.ts';
import { granitehybrid } from './granitehybrid.ts';
import { lalte } from './lalte.ts';
import { lansa } from './lansa.ts';
import { lfm2 } from './lfm2.ts';
import { granitemoe } from './granitemoe.ts';
import { llama } from './llama.ts';
import { mistral3 } from './mistral3.ts';
import { phi3 } from './phi3.ts';
import { qwen2 } from './qwen2.ts';
import { qwen2moe } from './qwen2moe.ts';
import { qwen3 } from './qwen3.ts';
import { qwen35 } from './qwen35.ts';
import { qwen3next } from './qwen3next.ts';
import { qwen3moe } from './qwen3moe.ts';
import { rwkv7 } from './rwkv7.ts';
import { smollm3 } from './smollm3.ts';
import type { ModelSpec } from './spec.ts';

const families: readonly Family[] = [llama, gemma3, qwen2, qwen2moe, qwen3, qwen3moe, qwen35, qwen3next, phi3, smollm3, granite, granitemoe, granitehybrid, mistral3, lfm2, rwkv7, lalte, lansa];

export const supportedArchitectures: readonly string[] = families.flatMap((family) => family.architectures);

/** Reads the header as the family it names. Throws `unknown-architecture` or `model-incomplete`. */
export function describeModel(file: GgufFile): ModelSpec {
  const architecture = file.metadata.string('general.architecture');
  const family = families.find((candidate) => candidate.architectures.includes(architecture));
  if (!family) {
    const nearest = nearestArchitecture(architecture, file);
    throw new EngineError(
      'unknown-architecture',
      `The model's architecture is "${architecture}", which Longleaf does not know; the nearest that it knows is ${nearest}.`,
      `Choose a model of the architecture ${nearest}, or another of ${supportedArchitectures.join(', ')}.`,
    );
  }
  const spec = family.describe(file);
  checkTensors(file, spec);
  checkShapes(file, spec);
  return spec;
}

/** Names that share less than this of their longer one's letters are of unrelated models. */
const leastLikeness = 0.5;

/** By name, since makers number their models; else by what the file says the model is made of. */
function nearestArchitecture(wanted: string, { metadata }: GgufFile): string {
  const likeness = (known: string): number => 1 - editDistance(wanted, known) / Math.max(wanted.length, known.length);
  const best = supportedArchitectures.reduce((a, b) => (likeness(b) > likeness(a) ? b : a));
  if (likeness(best) >= leastLikeness) return best;
  if (metadata.has(`${wanted}.ssm.state_size`)) return 'granitehybrid';
  return metadata.has(`${wanted}.expert_count`) ? 'qwen3moe' : 'llama';
}

/** Letters to insert, delete or replace to get from one text to the other. */
function editDistance(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, i) => i);
  for (let i = 1; i <= from.length; i++) {
    const next = [i];
    for (let j = 1; j <= to.length; j++) next.push(Math.min(next[j - 1] + 1, row[j] + 1, row[j - 1] + (from[i - 1] === to[j - 1] ? 0 : 1)));
    row = next;
  }
  return row[to.length];
}
