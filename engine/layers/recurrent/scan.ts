/** The recurrence of linear attention over a step's rows, whatever mechanism made its keys and gates. */
import recurrentScanText from '../../../shaders/recurrent_scan.wgsl';
import type { Device } from '../../device/device.ts';
import { encodeDispatch } from '../../device/kernel.ts';
import { type Bound, type KernelFamily, sharedUniform } from '../pointwise/bound.ts';
import type { StateCache } from './stateCache.ts';

export interface ScanShape {
  heads: number;
  keyHeads: number;
  /** Divisible by 4. */
  keyDim: number;
  valueDim: number;
  /** f32 numbers of a row of `vectors`, and where in it each kind begins; keys and queries at multiples of 4. */
  stride: number;
  queryOffset: number;
  keyOffset: number;
  valueOffset: number;
  /** What a key already holds is taken out before its value is put in (the delta rule); `vectors`: by vectors of its own. */
  erase: boolean | 'vectors';
  /** Which key head a head goes with: `tiled` h mod keyHeads, `grouped` ⌊h · keyHeads ÷ heads⌋. */
  keyHeadOrder: 'tiled' | 'grouped';
}

export interface ScanBuffers extends ScanShape {
  vectors: GPUBuffer;
  /** [rows][heads] of (decay, strength) f32. */
  gates: GPUBuffer;
  cache: StateCache;
  /** [heads] f32: how much of its value each head reads besides. */
  skip?: GPUBuffer;
  /** [rows][heads][keyDim] f32: decays of each key, in place of those in `gates`; not together with `skip`. */
  decays?: GPUBuffer;
  /** [rows][heads] of the vectors a and b of S − b (Sᵀa)ᵀ, [keyDim] f32 each; with `decays`. */
  erasers?: GPUBuffer;
  /** [rows][heads][valueDim] f32. */
  output: GPUBuffer;
  step: GPUBuffer;
}

/** The families that the adapter supports, the one to use first: on GPUs, too, sums cross lanes rather than barriers. */
export function scanFamilies(device: Device): KernelFamily[] {
  return device.facts.subgroupLanes >= 4 ? ['subgroup', 'workgroup'] : ['workgroup'];
}

export async function bindScan(device: Device, io: ScanBuffers, family = scanFamilies(device)[0]): Promise<Bound> {
  const { heads, keyHeads, keyDim, valueDim, stride, queryOffset, keyOffset, valueOffset, cache } = io;
  if ([keyDim, stride, queryOffset, keyOffset].some((size) => size % 4 !== 0)) throw new RangeError('keys and queries must lie at multiples of 4');
  if ((io.erase === 'vectors') !== (io.erasers !== undefined) || (io.erasers && !io.decays) || (io.skip && io.decays)) {
    throw new RangeError('erasers come with decays, and decays without skip');
  }
  const loneSubgroup = family === 'subgroup';
  const invocations = loneSubgroup ? device.facts.subgroupLanes : 32;
  const keys = keyDim / 4;
  const kernel = await device.kernels.get({
    label: 'recurrent_scan',
    texts: [recurrentScanText],
    enables: loneSubgroup ? ['subgroups'] : [],
    constants: {
      LONE_SUBGROUP: loneSubgroup,
      INVOCATIONS: invocations,
      KEYS: keys,
      UNITS: Math.ceil(keys / invocations),
      ERASE: io.erase === true,
      ERASE_VECTORS: io.erasers !== undefined,
      DECAY_BY_KEY: io.decays !== undefined,
      SKIP: io.skip !== undefined,
      TILED: io.keyHeadOrder === 'tiled',
    },
  });
  const shape = sharedUniform(device, 'recurrent scan shape', [heads, keyHeads, valueDim, stride, queryOffset, keyOffset, valueOffset]);
  const dispatches = ([0, 1] as const).map((source) => ({
    kernel,
    bindings: kernel.bind(
      io.step,
      shape,
      io.vectors,
      io.vectors,
      io.gates,
      cache.slots[source].matrix,
      cache.slots[1 - source].matrix,
      io.output,
      ...[io.skip, io.decays, io.erasers].filter((buffer) => buffer !== undefined),
    ),
  }));
  // Software adapters pay for each workgroup and have few cores: two for each head.
  const workgroups = device.facts.kind === 'software' ? Math.min(2, valueDim) : valueDim;
  return { encode: (pass, step) => encodeDispatch(pass, dispatches[cache.turn(step)], workgroups, heads) };
}
