/**
 * Attention of a row alone over several parts of a layer's keys at the same time. GPUs let dispatches that write to the
 * same buffers wait for each other, and each part alone is too short to keep them busy: one dispatch over all parts takes
 * about as long as the longest. Other adapters take the parts one after the other.
 */
import partsText from '../../../shaders/attention_split_parts.wgsl';
import type { Device } from '../../device/device.ts';
import { encodeDispatch, type KernelSource } from '../../device/kernel.ts';
import { link, type LinkedShader } from '../../device/link.ts';
import { sharedUniform } from '../pointwise/bound.ts';
import type { Step } from '../step.ts';
import { choosePart } from './choice.ts';
import { bindPart, numbersWriter, type PartBuffers, partKeys, type PartNumbers, partShape, type PartSource } from './partial.ts';
import { type SplitShape, splitVariants } from './split.ts';
import type { AttentionVariant, KeysRead } from './variants.ts';

/** The keys and values of a part, as `bindPart` takes them. */
export interface PartKeys extends Pick<PartBuffers, 'keys' | 'values' | 'capacitySlots'> {
  source: PartSource;
}

/** What the parts have in common: the queries, [1][heads·headDim], and the partials, where each part has splits of its own. */
export type CommonBuffers = Omit<PartBuffers, 'keys' | 'values' | 'capacitySlots'>;

export interface BoundParts {
  /** Numbers of the part at `index`. Takes effect for everything submitted later. */
  write(index: number, numbers: PartNumbers): void;
  /** `splits`: of each part; 0 leaves it out. Throws a RangeError for another number of parts, or for more than one row. */
  encode(pass: GPUComputePassEncoder, step: Step, splits: readonly number[]): void;
}

export interface PartsOptions {
  /** In one dispatch, or not; else where the adapter is a GPU that has the kernels and enough bindings for it. */
  together?: boolean;
  /** One for each part, other kernels than those that would be taken. */
  variants?: readonly AttentionVariant[];
}

const mostParts = 3;

/**
 * One to three parts. In one dispatch, workgroups of the first part come first: the longest belongs there. Throws a
 * RangeError for another number of parts, and where parts that must be attended to together cannot be.
 */
export async function bindParts(device: Device, parts: readonly PartKeys[], io: CommonBuffers, { together, variants }: PartsOptions = {}): Promise<BoundParts> {
  if (parts.length < 1 || parts.length > mostParts) throw new RangeError(`${parts.length} parts are not one to ${mostParts}`);
  const chosen = variants ?? (await Promise.all(parts.map((part) => kernelOf(device, part, io, together))));
  const bodies = bodiesTogether(device, parts, chosen);
  if (together && !bodies) throw new RangeError('these parts cannot be attended to in one dispatch of this adapter');
  const wanted = together ?? (device.facts.kind === 'gpu' && parts.length > 1);
  const bound = wanted && bodies ? await bindTogether(device, parts, io, bodies, chosen[0].queriesAtOnce) : await bindInTurn(device, parts, io, chosen);
  return {
    write: bound.write,
    encode(pass, step, splits) {
      if (step.rows !== 1) throw new RangeError(`${step.rows} rows are not one alone`);
      if (splits.length !== parts.length) throw new RangeError(`${splits.length} numbers of splits do not fit ${parts.length} parts`);
      bound.encode(pass, step, splits);
    },
  };
}

/** What was chosen for a part alone, or a kernel that attends beside others where it must. */
async function kernelOf(device: Device, part: PartKeys, io: CommonBuffers, together = false): Promise<AttentionVariant> {
  const keys = partKeys(part.source, { ...io, ...part });
  const chosen = await choosePart(device, keys, { many: false });
  return together && !chosen.body ? (splitVariants(device, keys)[0] ?? chosen) : chosen;
}

/**
 * What an H200 attended fastest by (bench/partTimes.ts): sixteen lanes load four 8-bit vectors at once, or, of
 * short ones, fewer lanes two, four words each; of halves few enough lanes share one that all of it is loaded at once. The same
 * workgroups for all, which a dispatch needs.
 */
function fastTogether({ format, headDim }: KeysRead): SplitShape {
  const shared = { threads: 128, heads: 4, workgroups: 1024 };
  if (format === 'f16') return { ...shared, spread: 32, keys: 4 };
  if (headDim >= 128) return { ...shared, spread: 16, keys: 4 };
  return { ...shared, spread: 2 ** Math.max(0, Math.floor(Math.log2(headDim / 16))), keys: 2 };
}

/**
 * Kernels that attend to such parts in one dispatch. On GPUs where the choice for a whole cache fell on another kind of
 * kernel, and on other adapters, those of the parts alone.
 */
export async function chooseTogether(device: Device, parts: readonly KeysRead[]): Promise<AttentionVariant[]> {
  const chosen = await Promise.all(parts.map((keys) => choosePart(device, keys, { many: false })));
  if (device.facts.kind !== 'gpu' || chosen.some(({ body }) => !body)) return chosen;
  const fast = parts.flatMap((keys) => splitVariants(device, keys, [fastTogether(keys)]));
  return fast.length === parts.length ? fast : chosen;
}

/** null where they do not fit into one dispatch. */
function bodiesTogether(device: Device, parts: readonly PartKeys[], variants: readonly AttentionVariant[]): KernelSource[] | null {
  const bodies = variants.map(({ body }) => body).filter((body) => body !== undefined);
  if (bodies.length < parts.length) return null;
  // A workgroup has as many invocations and queries whichever part it is of.
  const sizes = new Set(variants.map(({ queriesAtOnce, body }) => `${queriesAtOnce} ${String(body?.constants?.THREADS)}`));
  // Queries and partials, then keys and values, and what says which of them count.
  const storageBuffers = parts.reduce((sum, { source: { kind } }) => sum + (kind === 'list' ? 4 : kind === 'weighed' ? 3 : 2), 3);
  return sizes.size === 1 && storageBuffers <= device.facts.limits.maxStorageBuffersPerShaderStage ? bodies : null;
}

const linkedShaders = new Map<string, LinkedShader>();

/** Every layer asks for the same, and linking takes longer than finding it. */
function linkParts(bodies: readonly KernelSource[]): LinkedShader {
  const key = JSON.stringify(bodies);
  let linked = linkedShaders.get(key);
  if (!linked) linkedShaders.set(key, (linked = link(bodies, { shared: ['step', 'queries', 'partials', 'logSumExps'], firstBinding: 1 })));
  return linked;
}

async function bindTogether(device: Device, parts: readonly PartKeys[], io: CommonBuffers, bodies: readonly KernelSource[], queriesAtOnce: number): Promise<BoundParts> {
  const { text, bindings } = linkParts(bodies);
  const kernel = await device.kernels.get({ label: 'attention_split_parts', texts: [text, partsText], enables: bodies[0].enables, constants: { COPIES: parts.length } });
  const stride = device.gpu.limits.minUniformBufferOffsetAlignment;
  const numbers = device.memory.allocate('activations', 'attention parts', stride * parts.length, 0x40 /* UNIFORM */ | 0x08 /* COPY_DST */);
  // By their names in the kernels.
  const common: Record<string, GPUBuffer | GPUBufferBinding> = { step: io.step, queries: io.queries, partials: io.partials.outputs, logSumExps: io.partials.logSumExps };
  const own = parts.map(({ source, ...stored }, index): Record<string, GPUBuffer | GPUBufferBinding> => ({
    shape: partShape(device, source, { ...io, ...stored }),
    keys: stored.keys,
    values: stored.values,
    part: { buffer: numbers, offset: stride * index, size: 16 },
    ...(source.kind === 'list' ? { list: source.list, listCounts: source.counts } : {}),
    ...(source.kind === 'weighed' ? { weights: source.weights } : {}),
  }));
  const buffers = bindings.map(({ name, copy }) => (copy === null ? common : own[copy])[name]);
  const groups = new Map<string, GPUBindGroup>();
  const groupFor = (splits: readonly number[]): GPUBindGroup => {
    const key = splits.join(' ');
    let group = groups.get(key);
    if (!group) groups.set(key, (group = kernel.bind(sharedUniform(device, 'attention splits', splits), ...buffers)));
    return group;
  };
  const writers = parts.map((_, index) => numbersWriter(device, numbers, stride * index));
  const tiles = Math.ceil(io.heads / io.kvHeads / queriesAtOnce);
  return {
    write: (index, part) => writers[index](part),
    encode(pass, _step, splits) {
      const workgroups = splits.reduce((sum, count) => sum + count);
      if (workgroups > 0) encodeDispatch(pass, { kernel, bindings: groupFor(splits) }, tiles, io.kvHeads, workgroups);
    },
  };
}

async function bindInTurn(device: Device, parts: readonly PartKeys[], io: CommonBuffers, variants: readonly AttentionVariant[]): Promise<BoundParts> {
  const bound = await Promise.all(parts.map(({ source, ...stored }, index) => bindPart(device, source, { ...io, ...stored }, { variant: variants[index] })));
  return {
    write: (index, part) => bound[index].write(part),
    encode(pass, step, splits) {
      for (const [index, count] of splits.entries()) if (count > 0) bound[index].encode(pass, step, count);
    },
  };
}
