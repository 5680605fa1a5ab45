/**
 * Keeps a GPU busy before something is measured. Idle GPUs lower their clocks (an H200 from 1980 to 345 MHz) and raise
 * them only under lasting load: what is measured in the first milliseconds after a pause is several times too slow.
 */
import roofText from '../../shaders/multiply_add_roof.wgsl';
import type { Device } from '../device/device.ts';
import { encodeDispatch } from '../device/kernel.ts';

const busyMs = 250;
const invocations = 256;
const workgroups = 4096;

/** Does nothing on software adapters, whose processor has no such habit. */
export async function warmUp(device: Device): Promise<void> {
  if (device.facts.kind !== 'gpu') return;
  const kernel = await device.kernels.get({ label: 'multiply_add_roof', texts: [roofText], constants: { INVOCATIONS: invocations, CHAINS: 3, TURNS: 512, FUSED: true } });
  const numbers = device.memory.storage('activations', 'warming up', invocations * 16);
  const dispatch = { kernel, bindings: kernel.bind(numbers) };
  const startMs = performance.now();
  while (performance.now() - startMs < busyMs) {
    const encoder = device.gpu.createCommandEncoder();
    const pass = encoder.beginComputePass();
    for (let turn = 0; turn < 8; turn++) encodeDispatch(pass, dispatch, workgroups);
    pass.end();
    device.gpu.queue.submit([encoder.finish()]);
    await device.finished();
  }
  device.memory.free(numbers);
}
