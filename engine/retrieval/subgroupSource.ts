/** Kernels that exchange values within subgroups where their size is known, and through workgroup memory elsewhere. */
import type { Device } from '../device/device.ts';
import type { KernelSource } from '../device/kernel.ts';

/** The source with SUBGROUPS, and then SUBGROUP_LANES. INVOCATIONS must be among its constants. */
export function subgroupSource(device: Device, wanted: boolean, source: KernelSource): KernelSource {
  const lanes = device.facts.subgroupLanes;
  const invocations = Number(source.constants?.['INVOCATIONS']);
  if (!wanted || lanes === 0 || invocations % lanes !== 0) return { ...source, constants: { ...source.constants, SUBGROUPS: false } };
  return { ...source, enables: ['subgroups'], constants: { ...source.constants, SUBGROUPS: true, SUBGROUP_LANES: lanes } };
}
