/**
 * Keeps a GPU busy before something is measured. Idle GPUs lower their clocks (an H200 from 1980 to 345 MHz) and raise
 * them only under lasting load: what is measured in the first milliseconds after a pause is several times too slow.
 */
import roofText from '../../shaders/multiply_add_roof.wgsl';
import type { Device } from '../device/device.ts';
import { encodeDispatch } from '../device/kernel.ts';

const busyMs = 250;
const invocations = 256;
const gpuWorkgroups = 32_768;

/** Does nothing on software adapters, whose processor has no such habit. */
export async function warmUp(device: Device): Promise<void> {
  if (device.facts.kind !== 'gpu') return;
  const busy = await openBusyWork(device, { chains: 3, turns: 512 });
  const startMs = performance.now();
  while (performance.now() - startMs < busyMs) await busy.run(gpuWorkgroups);
  busy.free();
}

export interface BusyWork {
  /** Computes as many workgroups of the same, side by side. */
  run(workgroups: number): Promise<void>;
  free(): void;
}

/** Work that does nothing but take time: `chains` · `turns` · 32 768 products and sums a workgroup. */
export async function openBusyWork(device: Device, { chains, turns }: { chains: number; turns: number }): Promise<BusyWork> {
  const kernel = await device.kernels.get({ label: 'multiply_add_roof', texts: [roofText], constants: { INVOCATIONS: invocations, CHAINS: chains, TURNS: turns, FUSED: true } });
  const numbers = device.memory.storage('activations', 'keeping busy', invocations * 16);
  const dispatch = { kernel, bindings: kernel.bind(numbers) };
  return {
    run: async (workgroups) => {
      const encoder = device.gpu.createCommandEncoder();
      const pass = encoder.beginComputePass();
      encodeDispatch(pass, dispatch, workgroups);
      pass.end();
      device.gpu.queue.submit([encoder.finish()]);
      await device.finished();
    },
    free: () => device.memory.free(numbers),
  };
}
