/** The facts of a catalogue entry, from a model's header. */
import type { GgufFile } from '../../engine/formats/gguf/readGguf.ts';
import { memoryNeeds, planContext } from '../../engine/memoryPlan.ts';
import { describeModel } from '../../engine/models/registry.ts';
import type { CatalogueEntry } from '../contract/entities.ts';
import { countParameters } from './inspectModel.ts';

export function catalogueFacts(file: GgufFile): CatalogueEntry['facts'] {
  const spec = describeModel(file);
  const adapter = { kind: 'gpu' as const, kvFormat: 'f16' as const };
  const needsFor = (tokens: number) => memoryNeeds(file, spec, adapter, planContext(spec, adapter, tokens, { kvBudgetBytes: Infinity, tiers: null }));
  const most = needsFor(spec.contextTokens);
  // Rings do not grow any more at these lengths.
  const kvBytesPerToken = (most.kv.gpuBytes - needsFor(spec.contextTokens / 2).kv.gpuBytes) / (spec.contextTokens / 2);
  return {
    parameters: countParameters(file),
    chat: file.metadata.has('tokenizer.chat_template'),
    weightsBytes: most.weightsBytes,
    kvBytesPerToken,
    fixedBytes: most.kv.gpuBytes - kvBytesPerToken * spec.contextTokens + most.workingBytes,
  };
}
