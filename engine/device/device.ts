/**
 * An open WebGPU device with what the engine knows about it: how it behaves (a real GPU or a CPU in
 * disguise), which features it has, its memory ledger and its kernels.
 */
import { EngineError } from '../errors.ts';
import type { Waiter } from '../ports.ts';
import { shortAdapterName } from './adapterName.ts';
import { KernelCache } from './kernel.ts';
import { DeviceLoss } from './loss.ts';
import { GpuMemory } from './memory.ts';

/** A subgroup multiplies f16 [rows][depth] by f16 [depth][columns] and adds to [rows][columns] of `sum`. */
export interface MatrixShape {
  rows: number;
  columns: number;
  depth: number;
  sum: 'f16' | 'f32';
}

export interface AdapterFacts {
  name: string;
  /** As people call it: “NVIDIA H100”. */
  shortName: string;
  vendor: string;
  architecture: string;
  driver: string;
  kind: 'gpu' | 'software';
  /** Lanes of a subgroup, 0 when subgroups are missing or their size varies. */
  subgroupLanes: number;
  /**
   * Whether each workgroup of a small dispatch has a thread of its own, so that they may wait for each other. lavapipe
   * gives its threads equal shares; SwiftShader's scheduler may give two to one thread, one after the other.
   */
  runsWorkgroupsAtOnce: boolean;
  hasHalf: boolean;
  /** Shapes that subgroups multiply in one instruction; none where the adapter cannot. */
  matrixShapes: MatrixShape[];
  features: string[];
  limits: Record<string, number>;
}

const lossKnownWithinMs = 100;

// Not yet in WebGPU, and so unknown to its types.
const matrixFeature = 'chromium-experimental-subgroup-matrix' as GPUFeatureName;
const wantedFeatures: GPUFeatureName[] = ['shader-f16', 'subgroups', 'timestamp-query', matrixFeature];
const wantedLimits = [
  'maxStorageBufferBindingSize',
  'maxBufferSize',
  'maxComputeInvocationsPerWorkgroup',
  'maxComputeWorkgroupSizeX',
  'maxComputeWorkgroupSizeY',
  'maxComputeWorkgroupStorageSize',
  'maxComputeWorkgroupsPerDimension',
  'maxStorageBuffersPerShaderStage',
  'maxStorageTexturesPerShaderStage',
  'maxTextureDimension2D',
] as const;

export class Device {
  readonly gpu: GPUDevice;
  readonly facts: AdapterFacts;
  readonly memory: GpuMemory;
  readonly kernels: KernelCache;
  readonly waiter: Waiter;
  readonly #loss: DeviceLoss;

  constructor(gpu: GPUDevice, facts: AdapterFacts, waiter: Waiter, shared = { memory: new GpuMemory(gpu), kernels: new KernelCache(gpu), loss: new DeviceLoss(gpu) }) {
    this.gpu = gpu;
    this.facts = facts;
    this.waiter = waiter;
    this.memory = shared.memory;
    this.kernels = shared.kernels;
    this.#loss = shared.loss;
  }

  /** The same device with a ledger of its own: `memory.freeAll` then frees what was made by it, whoever made it. */
  scope(): Device {
    return new Device(this.gpu, this.facts, this.waiter, { memory: this.memory.scope(), kernels: this.kernels, loss: this.#loss });
  }

  /** Resolves with the error to show when the device is gone; never rejects. */
  get lost(): Promise<EngineError> {
    return this.#loss.lost;
  }

  /** Throws the loss as a named error, so that no caller waits for a dead device. */
  assertAlive(): void {
    if (this.#loss.error) throw this.#loss.error;
  }

  /** Waits for GPU work; a device loss while waiting rejects instead of hanging. */
  async settle<T>(work: Promise<T>): Promise<T> {
    // On a dead device it fails when nobody waits for it any more.
    work.catch(() => undefined);
    this.assertAlive();
    const outcome = await this.waiter.settle(
      this.#loss.before(work).then(
        (value) => ({ value }),
        (error: unknown) => ({ error }),
      ),
    );
    if ('error' in outcome) throw await this.explain(outcome.error);
    return outcome.value;
  }

  /**
   * The first bytes of a buffer once its mapping is `ready`. A device that dies in between unmaps its buffers: that is
   * told as the loss that it is.
   */
  async mapped(buffer: GPUBuffer, ready: Promise<unknown>, sizeBytes = buffer.size): Promise<ArrayBuffer> {
    // Waiting costs an adapter that computes on the CPU a moment, even for what is there.
    if (buffer.mapState !== 'mapped') await this.settle(ready);
    try {
      return buffer.getMappedRange(0, sizeBytes);
    } catch (error) {
      throw await this.explain(error);
    }
  }

  /** Why something failed: what a dying device was doing fails a moment before the loss is known, in words that do not say so. */
  async explain(failure: unknown): Promise<unknown> {
    const aMoment = new Promise<void>((resolve) => {
      setTimeout(resolve, lossKnownWithinMs);
    });
    await this.#loss.before(aMoment).catch(() => undefined);
    return this.#loss.error ?? failure;
  }

  /** Waits until everything submitted so far has run. */
  finished(): Promise<undefined> {
    return this.settle(this.gpu.queue.onSubmittedWorkDone());
  }

  destroy(): void {
    this.gpu.destroy();
  }
}

/** Opens the adapter with every feature and limit that the engine can use. `waiterFor` chooses how to wait for it. */
export async function openDevice(gpu: GPU, waiterFor: (kind: AdapterFacts['kind']) => Waiter): Promise<Device> {
  const adapter = await gpu.requestAdapter({ powerPreference: 'high-performance' });
  if (!adapter) {
    throw new EngineError(
      'no-adapter',
      'No WebGPU adapter was found: neither a graphics driver with Vulkan, Metal or Direct3D 12 nor a software adapter answered.',
      'Install or update the graphics driver; on Linux without a GPU install mesa-vulkan-drivers 24 or newer.',
    );
  }
  const requiredLimits: Record<string, number> = {};
  for (const name of wantedLimits) requiredLimits[name] = adapter.limits[name];
  const device = await adapter.requestDevice({
    requiredFeatures: wantedFeatures.filter((name) => adapter.features.has(name)),
    requiredLimits,
  });
  const facts = factsOf(adapter, requiredLimits);
  return new Device(device, facts, waiterFor(facts.kind));
}

function factsOf(adapter: GPUAdapter, limits: Record<string, number>): AdapterFacts {
  const info = adapter.info;
  const name = [info.description, info.device].filter(Boolean).join(' ') || info.vendor || 'unknown adapter';
  const isSoftware = /llvmpipe|swiftshader|lavapipe|software|basic render/i.test(`${name} ${info.architecture} ${info.vendor}`);
  const lanes = info.subgroupMinSize === info.subgroupMaxSize ? (info.subgroupMinSize ?? 0) : 0;
  const kind = isSoftware ? 'software' : 'gpu';
  return {
    name,
    shortName: shortAdapterName({ name, device: info.device, kind }),
    vendor: info.vendor,
    architecture: info.architecture,
    driver: info.description,
    kind,
    subgroupLanes: adapter.features.has('subgroups') ? lanes : 0,
    runsWorkgroupsAtOnce: /llvmpipe/i.test(name),
    hasHalf: adapter.features.has('shader-f16'),
    matrixShapes: matrixShapesOf(adapter),
    features: [...adapter.features].sort(),
    limits,
  };
}

/** What Dawn says of a shape; the members of its objects cannot be enumerated. */
interface MatrixConfig {
  componentType: string;
  resultComponentType: string;
  M: number;
  N: number;
  K: number;
}

function matrixShapesOf({ features, info }: GPUAdapter): MatrixShape[] {
  if (!features.has(matrixFeature) || !features.has('shader-f16') || !features.has('subgroups')) return [];
  const { subgroupMatrixConfigs = [] } = info as GPUAdapterInfo & { subgroupMatrixConfigs?: readonly MatrixConfig[] };
  return [...subgroupMatrixConfigs].flatMap(({ componentType, resultComponentType: sum, M, N, K }) =>
    componentType === 'f16' && (sum === 'f16' || sum === 'f32') ? [{ rows: M, columns: N, depth: K, sum } as const] : [],
  );
}
