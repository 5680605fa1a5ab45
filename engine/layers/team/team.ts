/** Workgroups of one dispatch that run at once and wait for each other (team.wgsl): for adapters that compute on the processor. */
import type { Device } from '../../device/device.ts';
import type { ShaderConstants } from '../../device/shader.ts';
import { formatConstants, sameFormat } from '../linear/format.ts';
import { rowSumsConstants } from '../linear/subgroup.ts';
import type { LinearWeights, WeightPart } from '../linear/weights.ts';

export interface Team {
  members: number;
  /** Arrivals, departures, patience and how often a member came late: see team.wgsl. */
  meeting: GPUBuffer;
  /** f32, what members tell each other; each layer is done with it before the next one begins. */
  work: GPUBuffer;
}

/** Where the meeting counts those that came late; above 0 what was computed since counts for nothing. */
export const lateOffsetBytes = 12;

/** Turns of a waiting loop: one or two seconds. */
const patienceTurns = 1 << 28;

/** `workNumbers`: the most that a kernel of the team needs, see `workOf…` beside each. */
export function createTeam(device: Device, members: number, workNumbers: number, patience = patienceTurns): Team {
  const meeting = device.memory.storage('activations', 'team meeting', 16);
  device.gpu.queue.writeBuffer(meeting, 0, Uint32Array.of(0, 0, patience, 0));
  return { members, meeting, work: device.memory.storage('activations', 'team work', workNumbers * 4) };
}

export function freeTeam(device: Device, { meeting, work }: Team): void {
  for (const buffer of [meeting, work]) device.memory.free(buffer);
}

/** What a kernel reads that multiplies by several matrices of one format; null where these are not such. */
export function commonConstants(device: Device, matrices: readonly LinearWeights[]): { parts: WeightPart[]; constants: ShaderConstants } | null {
  const parts = matrices.flatMap((matrix) => matrix.parts);
  const [{ format, tileColumns, texture }] = parts;
  const alike = parts.every((part) => sameFormat(part.format, format) && part.texture === texture);
  // Floats take many loads a block: their kernels would compile for minutes.
  const quantised = format.scales !== 'none';
  if (parts.length !== matrices.length || !alike || !quantised || matrices.some(({ shape }) => shape.inputs % 32 !== 0)) return null;
  const constants = { ...formatConstants(format, tileColumns, texture), ...rowSumsConstants(format, device.facts.subgroupLanes), MATRICES: parts.length };
  return { parts, constants };
}
