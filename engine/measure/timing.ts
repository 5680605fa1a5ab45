/** Times dispatches on a device whose cores may be shared: repeats, and keeps the best. */
import type { Device } from '../device/device.ts';

export interface Timing {
  /** Of one `encode`. */
  ms: number;
  /** Processor time of all threads, where a clock for it was given: what an idle core would need. */
  processorMs: number | null;
}

export interface TimingOptions {
  /** How many passes are timed, where they are not slow. */
  passes?: number;
  /** Length of a pass: `encode` is repeated so often that its submission does not count. */
  passMs?: number;
  /** Processor time of this process so far, user and system. */
  processorClockMs?: () => number;
}

const mostRepeats = 200;
/** After this no further pass begins: what is slow is measured well enough by few. */
const longestMs = 1500;

/** One `encode`: its share of a pass that repeats it; the best of several passes. */
export async function timeEncoding(
  device: Device,
  encode: (pass: GPUComputePassEncoder) => void,
  { passes = 5, passMs = 40, processorClockMs }: TimingOptions = {},
): Promise<Timing> {
  const run = async (repeats: number): Promise<Timing> => {
    const encoder = device.gpu.createCommandEncoder();
    const pass = encoder.beginComputePass();
    for (let i = 0; i < repeats; i++) encode(pass);
    pass.end();
    const commands = encoder.finish();
    const processorStartMs = processorClockMs?.() ?? 0;
    const startMs = performance.now();
    device.gpu.queue.submit([commands]);
    await device.finished();
    const ms = (performance.now() - startMs) / repeats;
    return { ms, processorMs: processorClockMs ? (processorClockMs() - processorStartMs) / repeats : null };
  };
  // The first pass may compile and clear buffers.
  await run(1);
  const first = await run(1);
  const repeats = Math.max(1, Math.min(mostRepeats, Math.round(passMs / first.ms)));
  const times = repeats === 1 ? [first] : [];
  const startMs = performance.now();
  while (times.length < passes && performance.now() - startMs < longestMs) times.push(await run(repeats));
  return {
    ms: Math.min(...times.map(({ ms }) => ms)),
    processorMs: processorClockMs ? Math.min(...times.map(({ processorMs }) => processorMs ?? Infinity)) : null,
  };
}
