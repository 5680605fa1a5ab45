/** What the process that measures llama.cpp is asked and answers. */
import * as z from 'zod';

export const peerRequest = z.object({
  /** Its node_modules holds node-llama-cpp (processor) or @fugood/llama.node (processor, and Vulkan with its package for that). */
  folder: z.string(),
  backend: z.enum(['cpu', 'vulkan']),
  modelPath: z.string(),
  vocabularySize: z.number().int().positive(),
  prefillTokens: z.number().int().positive(),
  decodeTokens: z.number().int().positive(),
  threads: z.number().int().positive(),
});
export type PeerBackend = z.infer<typeof peerRequest>['backend'];
export type PeerRequest = z.infer<typeof peerRequest>;

export const peerResult = z.object({
  prefillTokensPerSecond: z.number(),
  decodeTokensPerSecond: z.number(),
  backend: z.string(),
});
export type PeerResult = z.infer<typeof peerResult>;
