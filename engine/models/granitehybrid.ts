/**
 * Granite 4 (hybrid): Mamba-2, and attention without positions in a few layers, with Granite's four multipliers.
 *
 *     x = e · embedding[token]
 *     x += r · Wo · rms(scan(conv(x'), Δ) ⊙ silu(z)),  z | x' | Δ = Win·n         most layers; n = rms(x)
 *     x += r · Wo · attention(Wq·n, Wk·n, Wv·n; a)                               where the header gives the layer key heads
 *     x += r · Wdown · (silu(Wgate·n) ⊙ Wup·n), or experts and a shared one      n = rms(x)
 *     logits = Wout · rms(x) / s
 *
 * ssm_a is −e^A. Source: transformers `GraniteMoeHybridModel`; tensor names of llama.cpp's converter.
 */
import { EngineError } from '../errors.ts';
import type { GgufFile } from '../formats/gguf/readGguf.ts';
import { describeDecoder, gatedFeedForward } from './decoder.ts';
import { readExperts } from './experts.ts';
import { type Family, perLayer, size } from './family.ts';
import { graniteScales } from './granite.ts';
import { scannedChannels, type StateSpaceSpec } from './linearSpec.ts';

export const granitehybrid: Family = {
  architectures: ['granitehybrid'],
  describe: (file) => {
    const kvHeads = perLayer(file, 'granitehybrid.attention.head_count_kv', size(file, 'granitehybrid.block_count', 1024));
    const stateSpace = stateSpaceOf(file, size(file, 'granitehybrid.embedding_length', 65_536));
    const experts = file.metadata.integerOr('granitehybrid.expert_count', 0) > 0;
    return describeDecoder(file, 'granitehybrid', {
      pairing: 'adjacent',
      ...graniteScales(file, 'granitehybrid'),
      mixer: (i) => (kvHeads[i] > 0 ? null : stateSpace(i)),
      feedForward: (i) => (experts ? readExperts(file, 'granitehybrid', i, { normalised: true }) : gatedFeedForward(file, 'granitehybrid', i)),
    });
  },
};

function stateSpaceOf(file: GgufFile, hiddenSize: number): (i: number) => StateSpaceSpec {
  const heads = size(file, 'granitehybrid.ssm.time_step_rank', 4096);
  const groups = size(file, 'granitehybrid.ssm.group_count', heads);
  const stateDim = size(file, 'granitehybrid.ssm.state_size', 1024);
  const inner = size(file, 'granitehybrid.ssm.inner_size', 1 << 20);
  const taps = size(file, 'granitehybrid.ssm.conv_kernel', 16);
  const headDim = inner / heads;
  if (!Number.isInteger(headDim) || heads % groups !== 0 || [stateDim, heads, inner / groups].some((count) => count % 4 !== 0)) {
    throw new EngineError(
      'model-incomplete',
      `The header says ${heads} heads in ${groups} groups over ${inner} numbers with states of ${stateDim}, which do not fit together.`,
      'Download the file again.',
    );
  }
  const shape = { heads, headDim, groups, stateDim, taps };
  const channels = scannedChannels(shape);
  return (i) => ({
    kind: 'linear',
    mechanism: 'state space',
    windowTokens: null,
    ...shape,
    tensors: {
      matrices: {
        projections: [{ name: `blk.${i}.ssm_in.weight`, dims: [hiddenSize, inner + channels + heads] }],
        output: [{ name: `blk.${i}.ssm_out.weight`, dims: [inner, hiddenSize] }],
      },
      vectors: {
        convolution: { name: `blk.${i}.ssm_conv1d.weight`, dims: [taps, channels] },
        convolutionBias: { name: `blk.${i}.ssm_conv1d.bias`, dims: [channels] },
        rate: { name: `blk.${i}.ssm_a`, dims: [1, heads] },
        stepBias: { name: `blk.${i}.ssm_dt.bias`, dims: [heads] },
        skip: { name: `blk.${i}.ssm_d`, dims: [1, heads] },
        norm: { name: `blk.${i}.ssm_norm.weight`, dims: groups === 1 ? [inner] : [inner / groups, groups] },
      },
    },
  });
}
