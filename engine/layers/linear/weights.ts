/** Weight matrices on the GPU, in one or several parts. */
import type { Device } from '../../device/device.ts';
import { constantUniform, type UniformValue } from '../../device/uniforms.ts';
import type { TextureKind, WeightFormat } from './format.ts';
import type { LinearShape } from './matrix.ts';

/** Consecutive outputs of one format in one pair of buffers. */
export interface WeightPart {
  format: WeightFormat;
  /** First output of the whole matrix that this part computes, and how many. */
  firstOutput: number;
  outputs: number;
  /** Blocks of 32 inputs, padding included. */
  blocks: number;
  tileColumns: number;
  /** Whether codes lie in a texture, a row a tile, and how it is read; null in buffers. Scales lie in one as well where it is a storage texture. */
  texture: TextureKind | null;
  /** Codes and, but for float weights, scales. */
  stores: readonly (GPUBuffer | GPUTexture)[];
  sizeBytes: number;
}

/** What a kernel binds to read a part: bindings 4 and 5 of matmul_weights.wgsl. */
export function bindingsOf(part: WeightPart): (GPUBuffer | GPUTextureView)[] {
  return part.stores.map((store) => ('createView' in store ? store.createView() : store));
}

export class LinearWeights {
  readonly name: string;
  readonly shape: LinearShape;
  readonly parts: readonly WeightPart[];
  readonly sizeBytes: number;
  readonly #device: Device;
  readonly #shapes: GPUBuffer[] = [];

  constructor(device: Device, name: string, shape: LinearShape, parts: readonly WeightPart[]) {
    this.#device = device;
    this.name = name;
    this.shape = shape;
    this.parts = parts;
    this.sizeBytes = parts.reduce((sum, part) => sum + part.sizeBytes, 0);
  }

  /** Makes the shape block of one use of the weights; it is freed with them. */
  shapeUniform(values: readonly UniformValue[]): GPUBuffer {
    const buffer = constantUniform(this.#device, `${this.name} shape`, values);
    this.#shapes.push(buffer);
    return buffer;
  }

  free(): void {
    for (const store of this.parts.flatMap((part) => part.stores)) this.#device.memory.free(store);
    for (const buffer of this.#shapes.splice(0)) this.#device.memory.free(buffer);
  }
}

/** What one binding may hold. */
export interface UploadLimits {
  bufferBytes: number;
  textureBytes: number;
  /** Texels along a side of a texture. */
  textureSide: number;
}

export function limitsOf(device: Device, bindingLimitBytes = Infinity): UploadLimits {
  const { maxStorageBufferBindingSize, maxBufferSize, maxTextureDimension2D } = device.facts.limits;
  return {
    bufferBytes: Math.min(bindingLimitBytes, maxStorageBufferBindingSize, maxBufferSize),
    textureBytes: Math.min(bindingLimitBytes, maxBufferSize),
    textureSide: maxTextureDimension2D,
  };
}
