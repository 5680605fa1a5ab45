/** Small models at the hub of the end-to-end tests: what a person finds when they search it. */
import { splitModel } from '../../engine/testing/splitModel.ts';
import { tinyModel } from '../../engine/testing/tinyModel.ts';
import { contentOf } from '../../host/testing/hub/hubContent.ts';
import type { HubRepository } from '../../host/testing/hub/modelHub.ts';

export const hubToken = 'hf_endToEnd';

export function smallRepositories(): HubRepository[] {
  const large = tinyModel({ architecture: 'llama', layers: 2, hiddenSize: 512, width: 8192, contextTokens: 8192, types: ['F32'] });
  const small = tinyModel({ architecture: 'llama', layers: 2, hiddenSize: 512, width: 8192, contextTokens: 8192, types: ['Q8_0'], seed: 2 });
  const split = splitModel(tinyModel({ architecture: 'gemma3', layers: 4, contextTokens: 4096, seed: 3 }), 2);
  const strange = Buffer.from(tinyModel({ architecture: 'llama', layers: 1, seed: 4 }));
  strange.write('mamba', strange.indexOf('llama'), 'latin1');
  const gated = tinyModel({ architecture: 'llama', layers: 1, seed: 5, types: ['Q8_0'] });
  return [
    { id: 'meadow/Sedge-Instruct-GGUF', licence: 'apache-2.0', downloads: 48_210, likes: 120, files: { 'Sedge-Instruct-F32.gguf': contentOf(large), 'Sedge-Instruct-Q8_0.gguf': contentOf(small) }, gguf: { total: 26_000_000, architecture: 'llama', context_length: 8192 } },
    { id: 'meadow/Sedge-Split-GGUF', licence: 'mit', downloads: 9100, files: { 'Sedge-Split-00001-of-00002.gguf': contentOf(split[0]), 'Sedge-Split-00002-of-00002.gguf': contentOf(split[1]) }, gguf: { total: 900_000, architecture: 'gemma3', context_length: 4096 } },
    { id: 'meadow/Sedge-Mamba-GGUF', licence: 'mit', downloads: 870, files: { 'Sedge-Mamba.gguf': contentOf(strange) }, gguf: { total: 2_800_000_000, architecture: 'mamba', context_length: 65_536 } },
    { id: 'heath/Sedge-Gated-GGUF', licence: 'gemma', gated: 'manual', downloads: 640, files: { 'Sedge-Gated-Q8_0.gguf': contentOf(gated) } },
  ];
}
