/** A mixture of experts as the kernels of a layer: router, choice, products of the chosen experts, and their sum. */
import type { Device } from '../../device/device.ts';
import type { ExpertsSpec } from '../../models/spec.ts';
import type { ExpertsWeights } from '../../models/weights.ts';
import type { expertShapes } from '../../scratch.ts';
import type { LinearKernels } from '../linear/linear.ts';
import { type Part, part, productWork, rowWork } from '../part.ts';
import { bindGated } from '../pointwise/gated.ts';
import { bindExpertProduct, expertKernelsFor, expertWork } from './product.ts';
import { bindChoose, bindCombine, bindGroup } from './routing.ts';

/** Scratch that all layers share; `expertShapes` in scratch.ts says how large each is. */
export type ExpertBuffers = Record<keyof NonNullable<ReturnType<typeof expertShapes>>, GPUBuffer>;

export interface ExpertInputs {
  scratch: ExpertBuffers;
  /** [rows][hiddenSize]. */
  normed: GPUBuffer;
  /** [rows · chosen][2 · width] and [rows · chosen][width], scratch; also of the shared expert. */
  gateUp: GPUBuffer;
  gated: GPUBuffer;
  /** [rows][hiddenSize]. */
  output: GPUBuffer;
  add: boolean;
  step: GPUBuffer;
  maxRows: number;
}

export async function createExperts(device: Device, kernels: LinearKernels, spec: ExpertsSpec, weights: ExpertsWeights, io: ExpertInputs): Promise<Part[]> {
  const { scratch, normed, gateUp, gated, step, maxRows } = io;
  const { experts, chosen, width, activation, shared } = spec;
  const { fromRows, tileRows } = expertKernelsFor(device);
  const common = { ...scratch, logits: scratch.routerLogits, experts, chosen };
  const hiddenSize = weights.down.shape.outputs / experts;

  const router = await kernels.bind(weights.router, { input: normed, output: scratch.routerLogits, step, maxRows });
  const choose = await bindChoose(device, { ...common, ...spec, sharedGate: Boolean(shared?.tensors.gate) });
  const group = await bindGroup(device, { ...common, tileRows, step, maxRows });
  const parts: Part[] = [
    part('router', router, productWork(weights.router)),
    part('choice of experts', { encode: (pass, now) => (choose.encode(pass, now), now.rows >= fromRows && group.encode(pass, now)) }, rowWork(experts + 3 * chosen)),
  ];
  for (const [i, matrix] of weights.gateUp.entries()) {
    const product = await bindExpertProduct(device, matrix, { ...common, input: normed, pairsPerInput: chosen, output: gateUp, outputStride: 2 * width, outputOffset: i * width });
    parts.push(part('gate and up of experts', product, expertWork(matrix, spec)));
  }
  const gate = await bindGated(device, { gateUp, output: gated, step, columns: width, activation });
  const down = await bindExpertProduct(device, weights.down, { ...common, input: gated, pairsPerInput: 1, output: scratch.branches, outputStride: hiddenSize });
  parts.push(
    part('gate', { encode: (pass, now) => gate.encode(pass, { ...now, rows: now.rows * chosen }) }, rowWork(3 * width * chosen)),
    part('down of experts', down, expertWork(weights.down, spec)),
  );
  if (shared && weights.shared) {
    const both = await kernels.bind(weights.shared.gateUp, { input: normed, output: gateUp, step, maxRows });
    const sharedGate = await bindGated(device, { gateUp, output: gated, step, columns: shared.width, activation });
    const sharedDown = await kernels.bind(weights.shared.down, { input: gated, output: scratch.shared, step, maxRows });
    parts.push(
      part('gate and up of the shared expert', both, productWork(weights.shared.gateUp)),
      part('gate', sharedGate, rowWork(3 * shared.width)),
      part('down of the shared expert', sharedDown, productWork(weights.shared.down)),
    );
  }
  const combine = await bindCombine(device, { ...common, shared: shared ? scratch.shared : null, output: io.output, columns: hiddenSize, add: io.add });
  parts.push(part('sum of experts', combine, rowWork((chosen + 2) * hiddenSize)));
  return parts;
}
