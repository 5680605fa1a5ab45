/** A mixture of experts as the kernels of a layer: router, choice, products of the chosen experts, and their sum. */
import type { Device } from '../../device/device.ts';
import type { ExpertsSpec } from '../../models/spec.ts';
import type { ExpertsWeights, GatedWeights } from '../../models/weights.ts';
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

  // At once, because their kernels are compiled here.
  const [router, choose, group, gateUps, gate, down, ofShared, combine] = await Promise.all([
    kernels.bind(weights.router, { input: normed, output: scratch.routerLogits, step, maxRows }),
    bindChoose(device, { ...common, ...spec, sharedGate: Boolean(shared?.tensors.gate) }),
    bindGroup(device, { ...common, tileRows, step, maxRows }),
    Promise.all(
      weights.gateUp.map((matrix, i) =>
        bindExpertProduct(device, matrix, { ...common, input: normed, pairsPerInput: chosen, output: gateUp, outputStride: 2 * width, outputOffset: i * width }),
      ),
    ),
    bindGated(device, { gateUp, output: gated, step, columns: width, activation }),
    bindExpertProduct(device, weights.down, { ...common, input: gated, pairsPerInput: 1, output: scratch.branches, outputStride: hiddenSize }),
    shared && weights.shared ? createShared(device, kernels, { activation, width: shared.width }, weights.shared, io) : [],
    bindCombine(device, { ...common, shared: shared ? scratch.shared : null, output: io.output, columns: hiddenSize, add: io.add }),
  ]);
  return [
    part('router', router, productWork(weights.router)),
    part('choice of experts', { encode: (pass, now) => (choose.encode(pass, now), now.rows >= fromRows && group.encode(pass, now)) }, rowWork(experts + 3 * chosen)),
    ...gateUps.map((product, i) => part('gate and up of experts', product, expertWork(weights.gateUp[i], spec))),
    part('gate', { encode: (pass, now) => gate.encode(pass, { ...now, rows: now.rows * chosen }) }, rowWork(3 * width * chosen)),
    part('down of experts', down, expertWork(weights.down, spec)),
    ...ofShared,
    part('sum of experts', combine, rowWork((chosen + 2) * hiddenSize)),
  ];
}

/** The expert that every row goes through; it uses the scratch of the others after them. */
async function createShared(
  device: Device,
  kernels: LinearKernels,
  { activation, width }: Pick<ExpertsSpec, 'activation' | 'width'>,
  weights: GatedWeights,
  { scratch, normed, gateUp, gated, step, maxRows }: ExpertInputs,
): Promise<Part[]> {
  const [both, gate, down] = await Promise.all([
    kernels.bind(weights.gateUp, { input: normed, output: gateUp, step, maxRows }),
    bindGated(device, { gateUp, output: gated, step, columns: width, activation }),
    kernels.bind(weights.down, { input: gated, output: scratch.shared, step, maxRows }),
  ]);
  return [
    part('gate and up of the shared expert', both, productWork(weights.gateUp)),
    part('gate', gate, rowWork(3 * width)),
    part('down of the shared expert', down, productWork(weights.down)),
  ];
}
