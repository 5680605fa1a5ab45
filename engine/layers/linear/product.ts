/** Binds a weight matrix to its input and output and encodes the right kernel for a step's rows. */
import type { Device } from '../../device/device.ts';
import { type Dispatch, encodeDispatch } from '../../device/kernel.ts';
import type { UniformValue } from '../../device/uniforms.ts';
import { bindHalves, type BoundHalves } from './halves.ts';
import type { BoundLinear } from './linear.ts';
import type { Variant, VariantFamily } from './variants.ts';
import { bindingsOf, type LinearWeights, type WeightPart } from './weights.ts';

export interface ProductBinding {
  /** f32 [maxRows][inputs]. */
  input: GPUBuffer;
  /** f32 [maxRows][outputs]. */
  output: GPUBuffer;
  /** The step's uniform buffer, see step.ts. */
  step: GPUBuffer;
  /** Most rows of a step; 1 leaves the prefill kernels uncompiled. */
  maxRows: number;
  /** Add to the output instead of overwriting it. */
  accumulate?: boolean;
}

/** Members of `struct Shape` of matmul_weights.wgsl. */
export function shapeMembers(
  weights: LinearWeights,
  part: WeightPart,
  { accumulate = false, multiplier = 1 }: { accumulate?: boolean; multiplier?: number },
): UniformValue[] {
  return [
    weights.shape.inputs,
    part.outputs,
    part.blocks,
    part.firstOutput,
    weights.shape.outputs,
    accumulate ? 1 : 0,
    { float: part.format.zeroPoint },
    part.firstOutput,
    { float: multiplier },
  ];
}

interface BoundPart {
  part: WeightPart;
  /** In ascending order of the rows from which they pay. */
  choices: { variant: Variant; dispatch: Dispatch }[];
}

export async function bindProduct(device: Device, family: VariantFamily, weights: LinearWeights, io: ProductBinding): Promise<BoundLinear> {
  const { inputs } = weights.shape;
  const bound: BoundPart[] = [];
  let halves: BoundHalves | null = null;
  for (const part of weights.parts) {
    const shape = weights.shapeUniform(shapeMembers(weights, part, io));
    const variants = family.variantsFor(weights.shape, part.format).filter((variant) => variant.fromRows <= io.maxRows);
    const choices = await Promise.all(
      variants.map(async (variant) => {
        const kernel = await variant.kernel(part, inputs);
        if (variant.halvesOfRows) halves ??= await bindHalves(device, { input: io.input, inputs, rows: io.maxRows });
        const input = variant.halvesOfRows && halves ? halves.output : io.input;
        const bindings = kernel.bind(shape, io.step, input, io.output, ...bindingsOf(part));
        return { variant, dispatch: { kernel, bindings } };
      }),
    );
    bound.push({ part, choices });
  }
  return {
    encode(pass, step) {
      let halved = false;
      for (const { part, choices } of bound) {
        const choice = choices.findLast(({ variant }) => variant.fromRows <= step.rows) ?? choices[0];
        if (choice.variant.halvesOfRows && !halved) {
          halves?.encode(pass, step);
          halved = true;
        }
        const { x, y } = choice.variant.workgroups(part.outputs, step.rows);
        encodeDispatch(pass, choice.dispatch, x, y);
      }
    },
  };
}
