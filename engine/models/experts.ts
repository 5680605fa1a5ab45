/** The mixture of experts of one layer as files name it. */
import { EngineError } from '../errors.ts';
import type { GgufFile } from '../formats/gguf/readGguf.ts';
import { size } from './family.ts';
import type { ExpertsSpec, SharedExpertSpec } from './spec.ts';

/** Sizes come from the header, and whether there is a shared expert and a gate on it from the tensors. */
export function readExperts(file: GgufFile, architecture: string, layer: number, { normalised }: { normalised: boolean }): ExpertsSpec {
  const { metadata, tensors } = file;
  const key = (name: string): string => `${architecture}.${name}`;
  const tensor = (name: string): string => `blk.${layer}.${name}.weight`;
  const experts = size(file, key('expert_count'), 1024);
  const chosen = size(file, key('expert_used_count'), experts);
  // Granite's files do not say how wide an expert is.
  const width = size(file, key('expert_feed_forward_length'), 1 << 20, tensors.get(tensor('ffn_down_exps'))?.dims[0]);
  if (size(file, key('embedding_length'), 65_536) % 32 !== 0 || width % 32 !== 0) {
    throw new EngineError('unknown-architecture', `The experts of this file are ${width} wide, which is not a multiple of 32.`, 'Choose another model: Longleaf has no kernels for such experts.');
  }
  return {
    kind: 'experts',
    activation: 'silu',
    width,
    experts,
    chosen,
    normalised,
    scale: metadata.numberOr(key('expert_weights_scale'), 1) || 1,
    tensors: {
      router: tensor('ffn_gate_inp'),
      gateUp: tensors.has(tensor('ffn_gate_up_exps')) ? [tensor('ffn_gate_up_exps')] : [tensor('ffn_gate_exps'), tensor('ffn_up_exps')],
      down: tensor('ffn_down_exps'),
    },
    shared: tensors.has(tensor('ffn_down_shexp')) ? sharedExpert(file, layer) : null,
  };
}

function sharedExpert({ tensors }: GgufFile, layer: number): SharedExpertSpec {
  const tensor = (name: string): string => `blk.${layer}.${name}.weight`;
  const gate = tensor('ffn_gate_inp_shexp');
  return {
    width: tensors.get(tensor('ffn_down_shexp'))?.dims[0] ?? 0,
    tensors: {
      gate: tensors.has(gate) ? gate : null,
      gateUp: [tensor('ffn_gate_shexp'), tensor('ffn_up_shexp')],
      down: tensor('ffn_down_shexp'),
    },
  };
}
