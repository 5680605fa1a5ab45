/** Looks up the chosen tokens in a layer's slot table; reserves slots for those that must be fetched. */
import lookupText from '../../../shaders/slot_lookup.wgsl';
import sumsText from '../../../shaders/workgroup_sums.wgsl';
import type { Device } from '../../device/device.ts';
import { encodeDispatch } from '../../device/kernel.ts';
import { packUniforms } from '../../device/uniforms.ts';
import { sharedUniform } from '../../layers/pointwise/bound.ts';
import { sinkTokens } from '../../retrieval/layout.ts';
import type { Selection } from '../../retrieval/select.ts';
import { subgroupSource } from '../../retrieval/subgroupSource.ts';
import type { SlotTable, SlotTableShape } from './slotTable.ts';

/** How a lookup is spread over its workgroup. */
export interface LookupVariant {
  /** A power of two from 32 on. */
  invocations: number;
  /** Tokens, or slots, of an invocation in a round at most. */
  atOnce: number;
  /** Sum by subgroups, where their size is known. */
  subgroups: boolean;
}

/**
 * A head has one workgroup, which goes through the chosen tokens in rounds: wide ones where rounds wait for memory,
 * narrow ones where a processor takes an invocation after the other.
 */
const usualVariants: Record<Device['facts']['kind'], LookupVariant> = {
  gpu: { invocations: 512, atOnce: 8, subgroups: true },
  software: { invocations: 128, atOnce: 4, subgroups: true },
};
/** Lookups before the first one: free slots are older than any that was used. */
const firstLookup = 1024;

export interface LookupLimits {
  /** Most entries of the selection at once: those that fit into the list. */
  room: number;
  /** Most requests of a head. */
  requestLimit: number;
}

/** `struct Numbers { now: u32, first: u32, room: u32, sinks: u32, requestLimit: u32 }`, the same for all layers. */
export class LookupUniforms {
  /** For a step's first lookup in each layer. */
  readonly first: GPUBuffer;
  /** For selections that are too long for one lookup. */
  readonly further: GPUBuffer;
  readonly #device: Device;
  #step: object | null = null;
  #lookups = firstLookup;

  constructor(device: Device) {
    const uniform = (label: string): GPUBuffer => device.memory.allocate('activations', label, 32, 0x40 /* UNIFORM */ | 0x08 /* COPY_DST */);
    this.#device = device;
    this.first = uniform('slot lookup');
    this.further = uniform('further slot lookup');
  }

  /**
   * Queued in order with the submissions around it; once for all layers of `step`. The sinks are listed first. `ages`:
   * whether slots have aged since the step before; not where no layer has two lookups in the steps that count as one.
   */
  begin(step: object, limits: LookupLimits, ages = true): void {
    if (step === this.#step) return;
    this.#step = step;
    if (!ages) this.#lookups--;
    this.#write(this.first, 0, sinkTokens, limits);
  }

  /** The next lookup begins with the selection's entry `first`. */
  goOn(first: number, limits: LookupLimits): void {
    this.#write(this.further, first, 0, limits);
  }

  free(): void {
    for (const buffer of [this.first, this.further]) this.#device.memory.free(buffer);
  }

  #write(buffer: GPUBuffer, first: number, sinks: number, { room, requestLimit }: LookupLimits): void {
    this.#device.gpu.queue.writeBuffer(buffer, 0, packUniforms([++this.#lookups, first, room, sinks, requestLimit]));
  }
}

export interface SlotLookupBuffers extends SlotTableShape {
  table: SlotTable;
  selection: Selection;
  /** [kvHead][listCapacity], [kvHead]: slots to attend to. */
  list: GPUBuffer;
  listCounts: GPUBuffer;
  listCapacity: number;
  /** Of `LookupUniforms`. */
  numbers: GPUBuffer;
  /** Whether the step waits for what is fetched: all chosen tokens are listed. Else the selection shrinks to the hits. */
  waiting: boolean;
  /** Other than what suits the adapter. */
  variant?: Partial<LookupVariant>;
}

export interface BoundSlotLookup {
  encode(pass: GPUComputePassEncoder): void;
}

export async function bindSlotLookup(device: Device, io: SlotLookupBuffers): Promise<BoundSlotLookup> {
  const { kvHeads, capacityTokens } = io.layout;
  const { table, selection } = io;
  const { kind, limits } = device.facts;
  const wanted = { ...usualVariants[kind], ...io.variant };
  const invocations = Math.min(wanted.invocations, limits['maxComputeInvocationsPerWorkgroup'], limits['maxComputeWorkgroupSizeX']);
  const constants = { INVOCATIONS: invocations, AT_ONCE: wanted.atOnce, WAITING: io.waiting };
  const kernel = await device.kernels.get(subgroupSource(device, wanted.subgroups, { label: 'slot_lookup', texts: [sumsText, lookupText], constants }));
  const shape = sharedUniform(device, 'slot lookup shape', [kvHeads, capacityTokens, io.slots, sinkTokens, io.maxSelected, io.listCapacity]);
  const bindings = kernel.bind(io.numbers, shape, selection.tokens, selection.counts, table.slotOf, table.slots, io.list, io.listCounts, table.requests);
  return { encode: (pass) => encodeDispatch(pass, { kernel, bindings }, kvHeads) };
}
