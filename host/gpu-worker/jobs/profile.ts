/** The kernels of the loaded model, each by itself, beside what this adapter reaches. */
import { profileKernels } from '../../../engine/measure/kernelProfile.ts';
import { measureRoofs } from '../../../engine/measure/roofs.ts';
import { greedySettings } from '../../../engine/sampling/settings.ts';
import { benchTokens } from '../../benchTokens.ts';
import type { ActiveModel } from '../activeModel.ts';
import type { JobContext } from '../gpuWorker.ts';
import type { ProfileResult } from '../protocol.ts';

export async function profile(model: ActiveModel, request: { promptTokens: number }, context: JobContext): Promise<ProfileResult> {
  const { device, signal } = context;
  const { runner, sequence, spec, contextTokens } = model.loaded;
  const promptTokens = Math.min(request.promptTokens, contextTokens - 1);
  // Real keys, values and activations, so that no kernel computes with numbers that never occur.
  await sequence.extend(benchTokens(promptTokens, spec.vocabularySize), { signal, sparseBefore: promptTokens });
  model.sampler.begin(greedySettings);
  const roofs = await measureRoofs(device);
  try {
    const phases = await profileKernels(device, runner, model.sampler, {
      promptTokens,
      roofs,
      signal,
      onProgress: (done, total) => context.progress('measuring', done, total),
    });
    return { roofs, phases };
  } finally {
    sequence.clear();
  }
}
