/** Whether a row's norm and gate are faster inside its product than as kernels of their own: measured, checked, remembered. */
import type { Device } from '../../device/device.ts';
import { Readback } from '../../device/readback.ts';
import { timeEncoding } from '../../measure/timing.ts';
import { warmUp } from '../../measure/warmUp.ts';
import { bindGated } from '../pointwise/gated.ts';
import { bindNormalise } from '../pointwise/normalise.ts';
import { StepUniform } from '../step.ts';
import type { ChoiceCache } from './choice.ts';
import type { WeightFormat } from './format.ts';
import { anyWeights, difference, noise } from './measurement.ts';
import { bindProduct, type ProductBinding } from './product.ts';
import { type Preferences, workgroupFamily } from './workgroup.ts';

export interface FusionChoice {
  fuses: boolean;
  /** For `doctor`. */
  summary: string;
}

export interface FusionTimes {
  /** Of a norm, a product and a gate, one after the other. */
  apartMs: number;
  fusedMs: number;
  /** Why fused kernels must not be used, or null. */
  wrong: string | null;
}

/** A feed-forward layer of a small model, where dispatches weigh most: 2048 → gates and ups of 8192. */
const shape = { inputs: 2048, outputs: 16384 };

export async function chooseFusion(device: Device, cache: ChoiceCache, apart: Preferences, format: WeightFormat): Promise<FusionChoice> {
  const row = apart.row(format.codes, 'wide');
  const key = `fused row of ${row?.name ?? 'the plain kernel'}`;
  const [known, told] = (cache.get(key) ?? '').split('|');
  if (told) return { fuses: known === 'yes', summary: `${told}, remembered` };
  const { apartMs, fusedMs, wrong } = await measureFusion(device, apart, format);
  const fuses = wrong === null && fusedMs < apartMs;
  const summary = `${fuses ? 'inside' : 'apart'}, ${fusedMs.toFixed(3)} ms inside, ${apartMs.toFixed(3)} ms apart${wrong ? `, ${wrong}` : ''}`;
  cache.set(key, `${fuses ? 'yes' : 'no'}|${summary}`);
  return { fuses, summary };
}

export async function measureFusion(device: Device, apart: Preferences, format: WeightFormat, { inputs, outputs } = shape): Promise<FusionTimes> {
  const { memory, gpu } = device;
  const width = outputs / 2;
  const step = new StepUniform(device);
  const now = { rows: 1, position: 0 };
  step.write(now);
  const buffer = (numbers: number): GPUBuffer => memory.storage('activations', 'measurement', numbers * 4);
  const [source, gain, normed, output, gated] = [inputs, inputs, inputs, outputs, width].map(buffer);
  for (const filled of [source, gain]) gpu.queue.writeBuffer(filled, 0, Float32Array.from({ length: inputs }, noise));
  const weights = anyWeights(device, format, { inputs, outputs });
  const common = { step: step.buffer, maxRows: 1, epsilon: 1e-5 };
  const binding: ProductBinding = { ...common, input: normed, output, norm: { source, gain, epsilon: 1e-5 }, gate: { activation: 'silu', output: gated } };
  const readback = new Readback(device);
  const time = async (encode: (pass: GPUComputePassEncoder) => void): Promise<{ ms: number; values: Float32Array }> => {
    const clear = gpu.createCommandEncoder();
    clear.clearBuffer(gated);
    gpu.queue.submit([clear.finish()]);
    await warmUp(device);
    const { ms } = await timeEncoding(device, encode, { passes: 3, passMs: 20 });
    return { ms, values: await readback.floats(gated, 0, width) };
  };
  try {
    const norm = await bindNormalise(device, { ...common, input: source, weight: gain, output: normed, columns: inputs });
    const gate = await bindGated(device, { gateUp: output, output: gated, step: step.buffer, columns: width, activation: 'silu' });
    const product = await bindProduct(device, workgroupFamily(device, { ...apart, fuses: false }), weights, binding);
    const separate = await time((pass) => [norm, product, gate].forEach((one) => one.encode(pass, now)));
    const fused = await bindProduct(device, workgroupFamily(device, { ...apart, fuses: true }), weights, binding);
    const included = fused.includes?.(now);
    if (!included?.norm || !included.gate) return { apartMs: separate.ms, fusedMs: Infinity, wrong: 'too little workgroup memory' };
    const together = await time((pass) => fused.encode(pass, now));
    return { apartMs: separate.ms, fusedMs: together.ms, wrong: difference(together.values, separate.values) };
  } catch (error) {
    device.assertAlive();
    return { apartMs: 0, fusedMs: Infinity, wrong: error instanceof Error ? error.message : String(error) };
  } finally {
    readback.free();
    weights.free();
    for (const one of [source, gain, normed, output, gated, step.buffer]) memory.free(one);
  }
}
