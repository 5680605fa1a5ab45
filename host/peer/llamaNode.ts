/** llama.cpp on the processor or on a GPU through Vulkan, by the npm package @fugood/llama.node and its Vulkan package. */
import { createRequire } from 'node:module';
import type { PeerRequest, PeerResult } from './peerProtocol.ts';

/** What is used of the package, whose types are not installed here. */
interface LlamaNode {
  loadModel(options: Record<string, unknown>): Promise<{
    bench(prefillTokens: number, decodeTokens: number, sequences: number, rounds: number): Promise<{ speedPp: number; speedTg: number; flashAttn: number }>;
    release(): Promise<void>;
  }>;
  isLibVariantAvailable(variant: string): Promise<boolean>;
  getBackendDevicesInfo(variant: string): Promise<{ type: string; deviceName: string }[]>;
  BuildInfo?: { number: string };
}

/** `entry`: the package's main file. */
export async function measureLlamaNode(entry: string, request: PeerRequest): Promise<PeerResult> {
  const { prefillTokens, decodeTokens, threads, backend } = request;
  const { loadModel, isLibVariantAvailable, getBackendDevicesInfo, BuildInfo } = createRequire(entry)(entry) as LlamaNode;
  const variant = backend === 'vulkan' ? 'vulkan' : 'default';
  // Where it is missing the package silently takes the processor instead.
  if (!(await isLibVariantAvailable(variant))) throw new Error(`the ${variant} library for ${process.platform} ${process.arch} is not installed`);
  const devices = await getBackendDevicesInfo(variant);
  const device = devices.find(({ type }) => (backend === 'cpu') === (type === 'cpu'));
  // Without a device it computes on the processor, and without saying so.
  if (!device) throw new Error(`it finds no ${backend === 'vulkan' ? 'GPU with a Vulkan driver' : 'processor'} here`);
  const model = await loadModel({
    model: request.modelPath,
    lib_variant: variant,
    n_ctx: prefillTokens + decodeTokens + 64,
    n_batch: 2048,
    n_ubatch: 512,
    n_gpu_layers: backend === 'vulkan' ? 999 : 0,
    n_threads: threads,
    flash_attn_type: 'on',
    use_mmap: true,
  });
  // Once to warm up, as ours: pipelines are compiled when they are first used.
  await model.bench(prefillTokens, 4, 1, 1);
  const { speedPp, speedTg, flashAttn } = await model.bench(prefillTokens, decodeTokens, 1, 1);
  await model.release();
  const build = BuildInfo ? `llama.cpp ${BuildInfo.number}, ` : '';
  return {
    prefillTokensPerSecond: speedPp,
    decodeTokensPerSecond: speedTg,
    backend: `${build}${backend === 'vulkan' ? `Vulkan on ${device.deviceName}` : 'processor'}, flash attention ${flashAttn ? 'on' : 'off'}`,
  };
}
