/** A chunk of reading and a token of an answer, kernel by kernel, as the GPU's clock saw them. */
import { stepsOf } from '../../../engine/measure/kernelProfile.ts';
import { traceStep } from '../../../engine/measure/timeline.ts';
import { warmUp } from '../../../engine/measure/warmUp.ts';
import { greedySettings } from '../../../engine/sampling/settings.ts';
import { benchTokens } from '../../benchTokens.ts';
import type { StepTimeline } from '../../contract/machine.ts';
import type { ActiveModel } from '../activeModel.ts';
import type { JobContext } from '../gpuWorker.ts';

/** Steps are traced twice: the first run of a kernel may still compile. */
const runs = 2;

/** null on adapters without timestamps. */
export async function timeline(model: ActiveModel, request: { promptTokens: number }, context: JobContext): Promise<{ steps: StepTimeline[] | null }> {
  const { device, signal } = context;
  const { runner, sequence, spec, contextTokens } = model.loaded;
  const promptTokens = Math.min(request.promptTokens, contextTokens - 1);
  await sequence.extend(benchTokens(promptTokens, spec.vocabularySize), { signal, sparseBefore: promptTokens });
  model.sampler.begin(greedySettings);
  try {
    await warmUp(device);
    const steps: StepTimeline[] = [];
    for (const { phase, step, parts } of stepsOf(runner, model.sampler, promptTokens)) {
      runner.prepare(step);
      runner.prepareHead(1);
      let kernels: StepTimeline['kernels'] | null = null;
      for (let run = 0; run < runs; run++) kernels = await traceStep(device, parts, step);
      if (kernels === null) return { steps: null };
      steps.push({ phase, tokens: step.rows, atToken: step.position, kernels });
    }
    return { steps };
  } finally {
    sequence.clear();
  }
}
