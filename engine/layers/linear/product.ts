/** Binds a weight matrix to its input and output and encodes the right kernel for a step's rows. */
import type { Device } from '../../device/device.ts';
import { type Dispatch, encodeDispatch } from '../../device/kernel.ts';
import type { Activation } from '../pointwise/gated.ts';
import type { UniformValue } from '../../device/uniforms.ts';
import { bindHalves, type BoundHalves } from './halves.ts';
import type { BoundLinear } from './linear.ts';
import type { Fusion, Variant, VariantFamily } from './variants.ts';
import { bindingsOf, type LinearWeights, type WeightPart } from './weights.ts';

export interface ProductBinding {
  /** f32 [maxRows][inputs]. */
  input: GPUBuffer | GPUBufferBinding;
  /** f32 [maxRows][outputs]. */
  output: GPUBuffer | GPUBufferBinding;
  /** The step's uniform buffer, see step.ts. */
  step: GPUBuffer;
  /** Most rows of a step; 1 leaves the prefill kernels uncompiled. */
  maxRows: number;
  /** Add to the output instead of overwriting it. */
  accumulate?: boolean;
  /** How `input` comes about: input = RMS norm of `source` · gain. A step of one row may do that itself. */
  norm?: { source: GPUBuffer; gain: GPUBuffer; epsilon: number };
  /** What becomes of the output, gates and then what they let through. A step of one row may do that itself. */
  gate?: { activation: Activation; output: GPUBuffer };
}

/** Members of `struct Shape` of matmul_weights.wgsl. */
export function shapeMembers(
  weights: LinearWeights,
  part: WeightPart,
  { accumulate = false, multiplier = 1, epsilon = 0 }: { accumulate?: boolean; multiplier?: number; epsilon?: number },
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
    { float: epsilon },
  ];
}

interface BoundPart {
  part: WeightPart;
  /** In ascending order of the rows from which they pay. */
  choices: { variant: Variant; dispatch: Dispatch }[];
  /** For one row, together with the norm and the gate of `includes`. */
  fused: { dispatch: Dispatch; x: number } | null;
}

export async function bindProduct(device: Device, family: VariantFamily, weights: LinearWeights, io: ProductBinding): Promise<BoundLinear> {
  const { inputs } = weights.shape;
  const bound: BoundPart[] = [];
  let halves: BoundHalves | null = null;
  for (const part of weights.parts) {
    const shape = weights.shapeUniform(shapeMembers(weights, part, { ...io, epsilon: io.norm?.epsilon }));
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
    bound.push({ part, choices, fused: await bindFused(variants[0], part, shape, weights, io) });
  }
  // All parts of a matrix are multiplied by kernels of one kind, so what one includes all do, memory permitting.
  const fuses = bound.every(({ fused }) => fused);
  const { norm, gate } = fusionOf(bound[0].choices[0].variant, weights, io);
  const included = { norm: fuses && norm, gate: fuses && gate !== null };
  return {
    encode(pass, step) {
      let halved = false;
      for (const { part, choices, fused } of bound) {
        if (fuses && fused && step.rows === 1) {
          encodeDispatch(pass, fused.dispatch, fused.x);
          continue;
        }
        const choice = choices.findLast(({ variant }) => variant.fromRows <= step.rows) ?? choices[0];
        if (choice.variant.halvesOfRows && !halved) {
          halves?.encode(pass, step);
          halved = true;
        }
        const { x, y } = choice.variant.workgroups(part.outputs, step.rows);
        encodeDispatch(pass, choice.dispatch, x, y);
      }
    },
    includes: ({ rows }) => (rows === 1 ? included : { norm: false, gate: false }),
  };
}

/** Gates and what they let through must lie in one part. */
function fusionOf({ fuses }: Variant, weights: LinearWeights, { norm, gate }: ProductBinding): Fusion {
  return { norm: norm !== undefined && fuses?.norm === true, gate: gate && fuses?.gate && weights.parts.length === 1 ? gate.activation : null };
}

async function bindFused(variant: Variant, part: WeightPart, shape: GPUBuffer, weights: LinearWeights, io: ProductBinding): Promise<BoundPart['fused']> {
  const fusion = fusionOf(variant, weights, io);
  if (!fusion.norm && !fusion.gate) return null;
  const fused = variant.fused?.(part, weights.shape.inputs, fusion);
  if (!fused) return null;
  const kernel = await fused.kernel;
  const input = fusion.norm && io.norm ? io.norm.source : io.input;
  const output = fusion.gate && io.gate ? io.gate.output : io.output;
  const [codes, scales = null] = bindingsOf(part);
  const gain = fusion.norm && io.norm ? [io.norm.gain] : [];
  return { dispatch: { kernel, bindings: kernel.bind(shape, io.step, input, output, codes, scales, ...gain) }, x: fused.x };
}
