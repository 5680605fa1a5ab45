/** Times dispatches on a device whose cores may be shared: repeats, and keeps the best. */
import type { Device } from '../../engine/device/device.ts';

/**
 * Milliseconds of one `encode`, its share of a pass that repeats it often enough to hide the
 * submission; the best of several passes.
 */
export async function bestMs(device: Device, encode: (pass: GPUComputePassEncoder) => void, passes = 5): Promise<number> {
  const run = async (repeats: number): Promise<number> => {
    const encoder = device.gpu.createCommandEncoder();
    const pass = encoder.beginComputePass();
    for (let i = 0; i < repeats; i++) encode(pass);
    pass.end();
    const started = performance.now();
    device.gpu.queue.submit([encoder.finish()]);
    await device.finished();
    return (performance.now() - started) / repeats;
  };
  const first = await run(1);
  const repeats = Math.max(1, Math.min(200, Math.round(40 / first)));
  let best = Infinity;
  for (let i = 0; i < passes; i++) best = Math.min(best, await run(repeats));
  return best;
}

export function line(name: string, ms: number, rate: string): string {
  return `${name.padEnd(44)} ${ms.toFixed(3).padStart(10)} ms  ${rate}`;
}
