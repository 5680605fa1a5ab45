/**
 * One measurement of llama.cpp, in a process of its own so that its threads sleep while ours are measured. Run by
 * `longleaf bench --peer`; reads one JSON argument, prints one JSON line.
 */
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { measureLlamaNode } from './llamaNode.ts';
import { measureNodeLlamaCpp } from './nodeLlamaCpp.ts';
import { type PeerRequest, type PeerResult, peerRequest } from './peerProtocol.ts';

console.log(JSON.stringify(await measure(peerRequest.parse(JSON.parse(process.argv[2] ?? '')))));
process.exit(0);

function measure(request: PeerRequest): Promise<PeerResult> {
  const installed = (name: string): string | null => {
    try {
      return createRequire(join(request.folder, 'package.json')).resolve(name);
    } catch {
      return null;
    }
  };
  const onProcessor = request.backend === 'cpu' ? installed('node-llama-cpp') : null;
  if (onProcessor) return measureNodeLlamaCpp(onProcessor, request);
  const either = installed('@fugood/llama.node');
  if (either) return measureLlamaNode(either, request);
  throw new Error(`no llama.cpp for ${request.backend === 'cpu' ? 'the processor' : 'Vulkan'} is installed in ${request.folder}`);
}
