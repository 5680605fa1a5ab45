/**
 * What this adapter reaches at best, measured: the roofs that kernels are compared with. They are no
 * data sheet: a cache can be faster than the copy of large buffers, so a small kernel may pass 100 %,
 * and the sums are those that the adapter's own compiler makes of plain WGSL, without tensor cores.
 */
import roofText from '../../shaders/multiply_add_roof.wgsl';
import { type Bandwidth, measureBandwidth } from '../device/bandwidth.ts';
import type { Device } from '../device/device.ts';
import { encodeDispatch } from '../device/kernel.ts';
import { timeEncoding } from './timing.ts';
import { warmUp } from './warmUp.ts';

export interface Roofs {
  /** Reading plus writing while copying large buffers on the device. */
  copyGigabytesPerSecond: number;
  /** f32 multiplications and additions in registers. */
  multiplyAddGigaflops: number;
}

// Long enough that handing out the work does not count.
const turns = { gpu: 512, software: 4096 };
const workgroups = { gpu: 4096, software: 64 };
/** Two operations on each of four components, sixteen times a turn. */
const flopsPerChainTurn = 2 * 4 * 16;
const chainCounts = [2, 3, 6];

/** `bandwidth` saves measuring what was measured already. */
export async function measureRoofs(device: Device, bandwidth?: Bandwidth): Promise<Roofs> {
  await warmUp(device);
  const { copyGigabytesPerSecond } = bandwidth ?? (await measureBandwidth(device));
  return { copyGigabytesPerSecond, multiplyAddGigaflops: await measureMultiplyAdd(device) };
}

/** The best of some kernels: how many chains fill the registers, and whether fma is one instruction, differs. */
async function measureMultiplyAdd(device: Device): Promise<number> {
  const { kind, subgroupLanes } = device.facts;
  const invocations = kind === 'gpu' ? 256 : Math.max(subgroupLanes, 4);
  const numbers = device.memory.storage('activations', 'roof', invocations * 16);
  device.gpu.queue.writeBuffer(numbers, 0, Float32Array.from({ length: invocations * 4 }, (_, i) => (i % 7) / 7));
  let best = 0;
  for (const chains of chainCounts) {
    for (const fused of [false, true]) {
      const kernel = await device.kernels.get({
        label: 'multiply_add_roof',
        texts: [roofText],
        constants: { INVOCATIONS: invocations, CHAINS: chains, TURNS: turns[kind], FUSED: fused },
      });
      const dispatch = { kernel, bindings: kernel.bind(numbers) };
      const { ms } = await timeEncoding(device, (pass) => encodeDispatch(pass, dispatch, workgroups[kind]), { passes: 3, passMs: 20 });
      const flops = workgroups[kind] * invocations * turns[kind] * chains * flopsPerChainTurn;
      best = Math.max(best, flops / ms / 1e6);
    }
  }
  device.memory.free(numbers);
  return best;
}
