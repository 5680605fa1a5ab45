/** The families of kernels for matrix products, and which of them a device may run. */
import type { Device } from '../../device/device.ts';
import type { Kernel } from '../../device/kernel.ts';
import type { Layout, WeightFormat } from './format.ts';
import type { LinearShape } from './matrix.ts';
import type { Activation } from '../pointwise/gated.ts';
import { blocksFamily } from './blocks.ts';
import { portableFamily } from './portable.ts';
import { subgroupFamily } from './subgroup.ts';
import type { WeightPart } from './weights.ts';
import { workgroupFamily } from './workgroup.ts';

/** What a product of one row does besides. */
export interface Fusion {
  /** Normalises its input first. */
  norm: boolean;
  /** Its outputs are gates and what they let through; it applies them. */
  gate: Activation | null;
}

/** One way to multiply, good from a number of rows on. */
export interface Variant {
  name: string;
  fromRows: number;
  kernel(part: WeightPart, inputs: number): Promise<Kernel>;
  workgroups(outputs: number, rows: number): { x: number; y: number };
  /** What it can do besides for one row, and then how; null where the adapter has too little memory. */
  fuses?: { norm: boolean; gate: boolean };
  fused?(part: WeightPart, inputs: number, fusion: Fusion): { kernel: Promise<Kernel>; x: number } | null;
  /** Where it reads the input as halves (halve_rows.wgsl): the rows of its tile, to which the input is padded. */
  halvesOfRows?: number;
}

/** Variants that share a layout of the weights. */
export interface VariantFamily {
  name: string;
  layout: Layout;
  /** Whether its workgroups may be made teams: each is one subgroup. */
  teams?: boolean;
  /** In ascending order of `fromRows`; the first is good from one row. */
  variantsFor(shape: LinearShape, format: WeightFormat): readonly Variant[];
  describe(): Record<string, string>;
}

const families = {
  portable: portableFamily,
  workgroup: (device: Device) => workgroupFamily(device),
  subgroup: (device: Device) => subgroupFamily(device, null),
  'subgroup texture': (device: Device) => subgroupFamily(device, 'storage'),
  'blocks sampled': blocksFamily,
} satisfies Record<string, (device: Device) => VariantFamily>;

export type FamilyName = keyof typeof families;

export function familyOf(device: Device, name: FamilyName): VariantFamily {
  return families[name](device);
}

/** Families that the device can run at all. */
export function possibleFamilies(device: Device): FamilyName[] {
  const lanes = device.facts.subgroupLanes;
  if (lanes !== 4 && lanes !== 8) return ['portable', 'workgroup'];
  return ['portable', 'workgroup', 'subgroup', 'subgroup texture', 'blocks sampled'];
}

/** Families worth measuring, most promising first. */
export function promisingFamilies(device: Device): FamilyName[] {
  if (device.facts.kind === 'gpu') return ['workgroup'];
  // Blocks in sampled textures are fastest on SwiftShader (four lanes), storage textures on lavapipe.
  const subgroup: FamilyName[] = ['subgroup', device.facts.subgroupLanes === 4 ? 'blocks sampled' : 'subgroup texture'];
  return possibleFamilies(device).includes('subgroup') ? subgroup : ['portable', 'workgroup'];
}
