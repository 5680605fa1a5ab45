/**
 * Counts every GPU allocation by owner. WebGPU cannot say how much memory is free, so this ledger is
 * the only truth about what the engine uses; nothing in the engine calls `createBuffer` elsewhere. What belongs to
 * something that comes and goes, such as a model, is allocated in a scope and goes with it.
 */
import { EngineError } from '../errors.ts';

export type MemoryOwner = 'weights' | 'kv' | 'activations' | 'staging';

export interface MemoryReport {
  weightsBytes: number;
  kvBytes: number;
  activationsBytes: number;
  stagingBytes: number;
  totalBytes: number;
}

const texelBytes = { r32uint: 4, rg32uint: 8, rgba32uint: 16 } as const;

export class GpuMemory {
  readonly #device: GPUDevice;
  /** Where everything counts as well. */
  readonly #whole: GpuMemory | null;
  readonly #bytes: Record<MemoryOwner, number> = { weights: 0, kv: 0, activations: 0, staging: 0 };
  readonly #limits = new Map<MemoryOwner, number>();
  readonly #live = new Map<GPUBuffer | GPUTexture, { owner: MemoryOwner; sizeBytes: number }>();

  constructor(device: GPUDevice, whole: GpuMemory | null = null) {
    this.#device = device;
    this.#whole = whole;
  }

  /** A ledger of its own, of which everything counts here too. */
  scope(): GpuMemory {
    return new GpuMemory(this.#device, this);
  }

  /**
   * Allocates a buffer of at least `sizeBytes` (rounded up to 16). The allocation may still fail on the
   * GPU: wrap groups of allocations in `checked`.
   */
  allocate(owner: MemoryOwner, label: string, sizeBytes: number, usage: GPUBufferUsageFlags): GPUBuffer {
    const size = Math.max(16, Math.ceil(sizeBytes / 16) * 16);
    if (size > this.#device.limits.maxBufferSize) {
      throw outOfMemory(`${label} needs ${size} bytes, but this adapter allows ${this.#device.limits.maxBufferSize} in one buffer`);
    }
    this.#checkLimit(owner, label, size);
    const buffer = this.#device.createBuffer({ label, size, usage });
    this.#note(buffer, owner, size);
    return buffer;
  }

  /** Asserts from now on that an owner never has more than `bytes`: an allocation that passes them throws. null lifts it. */
  limit(owner: MemoryOwner, bytes: number | null): void {
    if (bytes === null) this.#limits.delete(owner);
    else this.#limits.set(owner, bytes);
  }

  /** A storage buffer that can be filled and read back. */
  storage(owner: MemoryOwner, label: string, sizeBytes: number): GPUBuffer {
    return this.allocate(owner, label, sizeBytes, 0x80 /* STORAGE */ | 0x08 /* COPY_DST */ | 0x04 /* COPY_SRC */);
  }

  /** A texture that kernels read like a table (some adapters read textures faster than buffers). */
  table(owner: MemoryOwner, label: string, format: keyof typeof texelBytes, width: number, height: number): GPUTexture {
    const sizeBytes = width * height * texelBytes[format];
    this.#checkLimit(owner, label, sizeBytes);
    const texture = this.#device.createTexture({
      label,
      format,
      size: [width, height],
      usage: 0x01 /* COPY_SRC */ | 0x02 /* COPY_DST */ | 0x04 /* TEXTURE_BINDING */ | 0x08 /* STORAGE_BINDING */,
    });
    this.#note(texture, owner, sizeBytes);
    return texture;
  }

  free(resource: GPUBuffer | GPUTexture): void {
    if (!this.#live.has(resource)) return;
    this.#forget(resource);
    resource.destroy();
  }

  /** Everything that was allocated here, or in a scope of it, and has not been freed. */
  freeAll(): void {
    for (const resource of this.#live.keys()) this.free(resource);
  }

  /** Runs `allocate` inside an out-of-memory scope and turns a failure into a named error. */
  async checked<T>(what: string, allocate: () => T): Promise<T> {
    this.#device.pushErrorScope('out-of-memory');
    const before = new Set(this.#live.keys());
    let result: T;
    try {
      result = allocate();
    } catch (error) {
      await this.#device.popErrorScope();
      this.#freeNewerThan(before);
      throw error;
    }
    const failure = await this.#device.popErrorScope();
    if (!failure) return result;
    this.#freeNewerThan(before);
    throw outOfMemory(`${what} did not fit: ${failure.message}`);
  }

  report(): MemoryReport {
    const { weights, kv, activations, staging } = this.#bytes;
    return {
      weightsBytes: weights,
      kvBytes: kv,
      activationsBytes: activations,
      stagingBytes: staging,
      totalBytes: weights + kv + activations + staging,
    };
  }

  #note(resource: GPUBuffer | GPUTexture, owner: MemoryOwner, sizeBytes: number): void {
    this.#live.set(resource, { owner, sizeBytes });
    this.#bytes[owner] += sizeBytes;
    if (this.#whole) this.#whole.#note(resource, owner, sizeBytes);
  }

  #forget(resource: GPUBuffer | GPUTexture): void {
    const entry = this.#live.get(resource);
    if (!entry) return;
    this.#live.delete(resource);
    this.#bytes[entry.owner] -= entry.sizeBytes;
    if (this.#whole) this.#whole.#forget(resource);
  }

  #checkLimit(owner: MemoryOwner, label: string, sizeBytes: number): void {
    if (this.#whole) this.#whole.#checkLimit(owner, label, sizeBytes);
    const limit = this.#limits.get(owner);
    if (limit === undefined || this.#bytes[owner] + sizeBytes <= limit) return;
    const problem = `${label} would bring what ${owner} takes on the GPU from ${this.#bytes[owner]} to ${this.#bytes[owner] + sizeBytes} bytes, beyond its limit of ${limit}.`;
    throw new EngineError('internal', problem, 'Please report this: memory was not counted ahead as it should be.');
  }

  #freeNewerThan(before: ReadonlySet<GPUBuffer | GPUTexture>): void {
    for (const resource of this.#live.keys()) if (!before.has(resource)) this.free(resource);
  }
}

function outOfMemory(what: string): EngineError {
  return new EngineError(
    'out-of-gpu-memory',
    `The GPU has not enough memory: ${what}.`,
    'Choose a smaller model or a shorter context, or close other programs that use the GPU.',
  );
}
