/** How the loaded model came to the GPU, and how fast its file can be read and copied there. */
import { measureLoadSpeed } from '../../../engine/measure/loadSpeed.ts';
import type { Device } from '../../../engine/device/device.ts';
import { openModelSource } from '../../models/openModelSource.ts';
import type { ActiveModel } from '../activeModel.ts';
import type { LoadingResult } from '../protocol.ts';

export async function loading(model: ActiveModel, device: Device): Promise<LoadingResult> {
  const source = await openModelSource(model.path);
  try {
    const times = model.loaded.loading;
    return { ...times, ...(await measureLoadSpeed(device, source, times)) };
  } finally {
    await source.close();
  }
}
