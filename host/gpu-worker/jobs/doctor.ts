/** What the engine sees on this machine, for `longleaf doctor`. */
import type { Device } from '../../../engine/device/device.ts';
import type { AdapterReport, GpuMemory } from '../../contract/entities.ts';
import type { ActiveModel } from '../activeModel.ts';
import { reportAdapter } from '../adapter.ts';
import { measureBandwidth } from '../../../engine/device/bandwidth.ts';
import { warmUp } from '../../../engine/measure/warmUp.ts';

export interface DoctorReport {
  adapter: AdapterReport;
  memory: GpuMemory;
  /** Whether Dawn checks bounds in shaders: on for models that are not in the catalogue. */
  boundsChecks: 'on' | 'off';
  /** Bytes a second, in thousands of millions. */
  bandwidth: { copyGigabytesPerSecond: number; uploadGigabytesPerSecond: number; readbackMs: number };
  /** Kernels in use; empty without a model. */
  kernels: Record<string, string>;
}

export async function doctor(device: Device, model: ActiveModel | null, boundsChecks: boolean): Promise<DoctorReport> {
  return {
    adapter: reportAdapter(device.facts),
    memory: device.memory.report(),
    boundsChecks: boundsChecks ? 'on' : 'off',
    bandwidth: await warmUp(device).then(() => measureBandwidth(device)),
    kernels: model ? model.description.kernels : {},
  };
}
