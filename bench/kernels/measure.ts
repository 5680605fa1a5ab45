/** Times dispatches on a device whose cores may be shared: repeats, and keeps the best. */
import type { Device } from '../../engine/device/device.ts';

export interface Timing {
  /** Of one `encode`. */
  ms: number;
  /** Processor time of all threads: what a software adapter would need on one idle core. */
  cpuMs: number;
}

/** One `encode`, its share of a pass that repeats it often enough to hide the submission; the best of several passes. */
export async function best(device: Device, encode: (pass: GPUComputePassEncoder) => void, passes = 5): Promise<Timing> {
  const run = async (repeats: number): Promise<Timing> => {
    const encoder = device.gpu.createCommandEncoder();
    const pass = encoder.beginComputePass();
    for (let i = 0; i < repeats; i++) encode(pass);
    pass.end();
    const commands = encoder.finish();
    const cpu = process.cpuUsage();
    const started = performance.now();
    device.gpu.queue.submit([commands]);
    await device.finished();
    const ms = (performance.now() - started) / repeats;
    const { user, system } = process.cpuUsage(cpu);
    return { ms, cpuMs: (user + system) / 1000 / repeats };
  };
  await run(1);
  const first = await run(1);
  const repeats = Math.max(1, Math.min(200, Math.round(40 / first.ms)));
  const result: Timing = { ms: Infinity, cpuMs: Infinity };
  for (let i = 0; i < passes; i++) {
    const { ms, cpuMs } = await run(repeats);
    result.ms = Math.min(result.ms, ms);
    result.cpuMs = Math.min(result.cpuMs, cpuMs);
  }
  return result;
}

/** `amount` is what one run computes or moves; the rates are per second of wall time. */
export function line(name: string, { ms, cpuMs }: Timing, amount: number, unit: 'GFLOP/s' | 'GB/s'): string {
  return `${name.padEnd(44)} ${ms.toFixed(3).padStart(10)} ms ${cpuMs.toFixed(3).padStart(10)} ms cpu ${(amount / ms / 1e6).toFixed(2).padStart(9)} ${unit}`;
}
