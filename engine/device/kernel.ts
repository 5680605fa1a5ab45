/** Compiled kernels and the dispatches made from them. */
import { EngineError } from '../errors.ts';
import { type ShaderOptions, specialise } from './shader.ts';

export interface KernelSource extends ShaderOptions {
  /** Shown in error messages and GPU captures; the WGSL file's name. */
  label: string;
  texts: readonly string[];
}

export class Kernel {
  readonly label: string;
  readonly pipeline: GPUComputePipeline;
  readonly #gpu: GPUDevice;

  constructor(gpu: GPUDevice, label: string, pipeline: GPUComputePipeline) {
    this.#gpu = gpu;
    this.label = label;
    this.pipeline = pipeline;
  }

  /** Binds buffers to `@group(0) @binding(i)` in order; a binding may be a part of a buffer, and null leaves it out. */
  bind(...resources: readonly (GPUBuffer | GPUBufferBinding | GPUTextureView | null)[]): GPUBindGroup {
    return this.#gpu.createBindGroup({
      label: this.label,
      layout: this.pipeline.getBindGroupLayout(0),
      entries: resources.flatMap((resource, binding) =>
        resource ? [{ binding, resource: 'mapState' in resource ? { buffer: resource } : resource }] : [],
      ),
    });
  }
}

/** A kernel with its bindings: what a layer keeps, and all that is needed to encode a dispatch. */
export interface Dispatch {
  kernel: Kernel;
  bindings: GPUBindGroup;
}

export function encodeDispatch(pass: GPUComputePassEncoder, dispatch: Dispatch, x: number, y = 1, z = 1): void {
  pass.setPipeline(dispatch.kernel.pipeline);
  pass.setBindGroup(0, dispatch.bindings);
  pass.dispatchWorkgroups(x, y, z);
}

/** Compiles each specialised shader once; equal texts share a pipeline. */
export class KernelCache {
  readonly #gpu: GPUDevice;
  readonly #compiled = new Map<string, Promise<Kernel>>();
  /** By what was asked for: every layer asks for the same kernels, and specialising takes longer than this. */
  readonly #known = new Map<string, Promise<Kernel>>();

  constructor(gpu: GPUDevice) {
    this.#gpu = gpu;
  }

  get(source: KernelSource): Promise<Kernel> {
    const key = JSON.stringify(source);
    let kernel = this.#known.get(key);
    if (!kernel) this.#known.set(key, (kernel = this.#specialised(source)));
    return kernel;
  }

  #specialised(source: KernelSource): Promise<Kernel> {
    const code = specialise(source.texts, source);
    const known = this.#compiled.get(code);
    if (known) return known;
    const compiling = this.#compile(source.label, code);
    this.#compiled.set(code, compiling);
    return compiling;
  }

  async #compile(label: string, code: string): Promise<Kernel> {
    const module = this.#gpu.createShaderModule({ label, code });
    try {
      const pipeline = await this.#gpu.createComputePipelineAsync({ label, layout: 'auto', compute: { module } });
      return new Kernel(this.#gpu, label, pipeline);
    } catch (error) {
      const info = await module.getCompilationInfo();
      const details = info.messages.map((m) => `${m.lineNum}:${m.linePos} ${m.message}`).join('; ');
      throw new EngineError(
        'shader-failed',
        `The kernel ${label} does not compile on this adapter: ${details || String(error)}`,
        'Update the graphics driver, or start with another adapter; please report this message.',
        { cause: error },
      );
    }
  }
}
