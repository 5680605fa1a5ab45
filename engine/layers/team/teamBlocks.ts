/** Which blocks of a model a team computes for a row alone, and the part of the model that each becomes. */
import type { Device } from '../../device/device.ts';
import type { WatchedQueries } from '../../inspect/headWatch.ts';
import { KvCache } from '../../kv/cache.ts';
import { type AttentionSpec, type BlockSpec, type GatedSpec, isPlainAttention, type ModelSpec } from '../../models/spec.ts';
import type { BlockWeights } from '../../models/weights.ts';
import { kvBytesPerValue } from '../attention/layout.ts';
import { attentionWork, type Part, part, productWork, sumOfWork } from '../part.ts';
import type { StepUniform } from '../step.ts';
import { bindTeamLayer, queriesOrigin, workOfLayer } from './layer.ts';
import { createTeam, type Team } from './team.ts';

type TeamBlock = BlockSpec & { mixer: AttentionSpec; feedForward: GatedSpec };

/** Attention and a dense feed-forward, with nothing but norms before them: what team_layer.wgsl computes. */
function suitsTeam(block: BlockSpec): block is TeamBlock {
  const { mixer, feedForward, mixerPostNorm, feedForwardPostNorm } = block;
  if (!isPlainAttention(mixer) || feedForward.kind !== 'gated' || mixerPostNorm || feedForwardPostNorm) return false;
  return !mixer.gatedQueries && !mixer.temperature && !mixer.tensors.queryNorm && mixer.tensors.biases.length === 0;
}

/** null where `members` is 0 or the model has a block that does not suit a team: a step must be one that can be computed again. */
export function createTeamFor(device: Device, { blocks, hiddenSize }: ModelSpec, members: number): Team | null {
  if (members === 0 || !blocks.every(suitsTeam)) return null;
  const numbers = blocks.map(({ mixer, feedForward }) => workOfLayer(members, { hiddenSize, heads: mixer.heads, width: feedForward.width, layout: mixer }));
  return createTeam(device, members, Math.max(...numbers));
}

export interface TeamBlockBuffers {
  hidden: GPUBuffer;
  angles(mixer: AttentionSpec): GPUBuffer;
  cache: unknown;
  step: StepUniform;
  epsilon: number;
  /** Follows the block: whoever looks at its queries, which lie among the team's work. */
  watch(source: Omit<WatchedQueries, 'layer'>): Part;
}

/** The whole block in one dispatch; null where a team does not compute it. */
export async function bindTeamBlock(device: Device, team: Team, block: BlockSpec, weights: BlockWeights, io: TeamBlockBuffers): Promise<Part | null> {
  const { mixer: own, feedForward, mixerNorm, feedForwardNorm } = weights;
  const { cache, hidden, step, epsilon } = io;
  if (!suitsTeam(block) || !(cache instanceof KvCache) || 'matrices' in own || feedForward.kind !== 'gated') return null;
  if (mixerNorm.bias || feedForwardNorm.bias) return null;
  const { mixer } = block;
  const { heads, kvHeads, headDim, queryScale, windowTokens: window, rotary } = mixer;
  const { keys, values, layout } = cache;
  const { queryKeyValue, output: mixerOutput } = own;
  const { gateUp, down } = feedForward;
  const { activation, width } = block.feedForward;
  const stepOfLayer = window === null ? step.buffer : step.whole;
  const bound = await bindTeamLayer(device, team, {
    hiddenSize: down.shape.outputs,
    heads,
    width,
    layout,
    window,
    pairing: rotary.pairing,
    rotatedDims: rotary.rotatedDims,
    queryScale,
    activation,
    epsilon,
    queryKeyValue,
    mixerOutput,
    gateUp,
    down,
    hidden,
    attentionGain: mixerNorm.gain,
    feedGain: feedForwardNorm.gain,
    angles: io.angles(mixer),
    keys,
    values,
    step: stepOfLayer,
  });
  const attention = attentionWork({ heads, kvHeads, headDim, window, bytesPerValue: kvBytesPerValue(layout.format) });
  if (!bound) return null;
  const watch = io.watch({ queries: team.work, originUnits: queriesOrigin({ heads, layout }) / 4, rowUnits: (heads * headDim) / 4, headDim, step: stepOfLayer });
  const layer = part('layer', bound, sumOfWork([attention, ...[queryKeyValue, mixerOutput, gateUp, down].map(productWork)]));
  return {
    ...layer,
    encode: (pass, now) => {
      layer.encode(pass, now);
      watch.encode(pass, now);
    },
  };
}
