/** The kernel variants for matrix products and the choice between them. */
import type { Device } from '../../device/device.ts';
import type { Kernel } from '../../device/kernel.ts';
import type { Layout } from './format.ts';
import type { ChoiceCache } from './linear.ts';
import type { LinearShape } from './matrix.ts';
import { portableFamily } from './portable.ts';
import { subgroupFamily } from './subgroup.ts';
import type { WeightPart } from './weights.ts';

/** One way to multiply, good from a number of rows on. */
export interface Variant {
  name: string;
  fromRows: number;
  kernel(part: WeightPart, inputs: number): Promise<Kernel>;
  workgroups(outputs: number, rows: number): { x: number; y: number };
}

/** Variants that share a layout of the weights. */
export interface VariantFamily {
  name: string;
  layout: Layout;
  variantsFor(shape: LinearShape): readonly Variant[];
  describe(): Record<string, string>;
}

const families: Record<string, (device: Device) => VariantFamily> = {
  portable: portableFamily,
  subgroup: (device) => subgroupFamily(device, false),
  'subgroup texture': (device) => subgroupFamily(device, true),
};

/** Families that the device can run, for tests that force each of them. */
export function familiesFor(device: Device): string[] {
  return Object.keys(families).filter((name) => !name.startsWith('subgroup') || device.facts.subgroupLanes === 8 || device.facts.subgroupLanes === 4);
}

export async function chooseVariants(device: Device, _cache: ChoiceCache, forced?: string): Promise<VariantFamily> {
  const lanes = device.facts.subgroupLanes;
  return families[forced ?? (lanes === 8 ? 'subgroup texture' : lanes === 4 ? 'subgroup' : 'portable')](device);
}
