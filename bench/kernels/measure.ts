/** How the kernel benchmarks time (as `longleaf bench` does) and print. */
import type { Device } from '../../engine/device/device.ts';
import { timeEncoding, type Timing } from '../../engine/measure/timing.ts';

/** One `encode`; with the processor time of this process, because the cores may be shared. */
export function best(device: Device, encode: (pass: GPUComputePassEncoder) => void): Promise<Timing> {
  const processorClockMs = (): number => {
    const { user, system } = process.cpuUsage();
    return (user + system) / 1000;
  };
  return timeEncoding(device, encode, { processorClockMs });
}

/** `amount` is what one run computes or moves; the rates are per second of wall time. */
export function line(name: string, { ms, processorMs }: Timing, amount: number, unit: 'GFLOP/s' | 'GB/s'): string {
  return `${name.padEnd(44)} ${ms.toFixed(3).padStart(10)} ms ${(processorMs ?? 0).toFixed(3).padStart(10)} ms cpu ${(amount / ms / 1e6).toFixed(2).padStart(9)} ${unit}`;
}
