/** What rows of logits say of one given token each (token_logprobs.wgsl). */
import logprobsText from '../../shaders/token_logprobs.wgsl';
import type { Device } from '../device/device.ts';
import { encodeDispatch, type Kernel } from '../device/kernel.ts';
import { constantUniform } from '../device/uniforms.ts';

const gpuInvocations = 256;

export function tokenLogprobsKernel({ kernels, facts }: Device): Promise<Kernel> {
  const invocations = facts.kind === 'gpu' ? gpuInvocations : Math.max(1, facts.subgroupLanes);
  return kernels.get({ label: 'token_logprobs', texts: [logprobsText], constants: { INVOCATIONS: invocations } });
}

export interface TokenLogprobs {
  /** [tokens] f32, in nats. */
  readonly logprobs: GPUBuffer;
  /** Those of the tokens [first, first + rows), from the logits of as many rows. */
  encode(pass: GPUComputePassEncoder, first: number, rows: number): void;
  free(): void;
}

/** `logits`: [rows][vocabularySize] f32; `tokens`: one for each row. Throws `out-of-gpu-memory`. */
export async function bindTokenLogprobs(device: Device, { logits, vocabularySize, tokens }: { logits: GPUBuffer; vocabularySize: number; tokens: readonly number[] }): Promise<TokenLogprobs> {
  const { memory, gpu } = device;
  const kernel = await tokenLogprobsKernel(device);
  const room = (label: string): GPUBuffer => memory.storage('activations', label, 4 * tokens.length);
  const buffers = await memory.checked('Room for log-probabilities', () => [room('next tokens'), room('log-probabilities')]);
  const [next, logprobs] = buffers;
  gpu.queue.writeBuffer(next, 0, Uint32Array.from(tokens));
  return {
    logprobs,
    encode(pass, first, rows) {
      const batch = constantUniform(device, 'rows of logits', [vocabularySize, first]);
      buffers.push(batch);
      encodeDispatch(pass, { kernel, bindings: kernel.bind(batch, logits, next, logprobs) }, rows);
    },
    free() {
      for (const buffer of buffers.splice(0)) memory.free(buffer);
    },
  };
}
