/** What a person can set, and what it is when they have not. */
import * as z from 'zod';
import { languages } from './languages.ts';
import { kvBudgets } from './policy.ts';
import { count, failure, identifier } from './primitives.ts';
import { defaultSampling, sampling } from './sampling.ts';

export const settings = z.object({
  theme: z.enum(['system', 'light', 'dark', 'contrast']),
  defaultModelId: identifier.nullable(),
  defaultSampling: sampling,
  defaultSystemPrompt: z.string(),
  /** What chats with a model begin with in place of `defaultSampling`, by the model's id. */
  modelSampling: z.record(identifier, sampling),
  language: z.enum(['system', ...languages]),
  /** Cancels every outbound request. */
  offline: z.boolean(),
  /** How much memory keys and values may take. */
  kv: kvBudgets,
  /** Readings that were under way when Longleaf was closed go on by themselves at the next start. */
  continueReadings: z.boolean(),
  /** Looks into every answer about a document for what it rests on, once nobody waits. */
  evidence: z.boolean(),
  /** Shows what a few heads attend to while an answer about a document is written. */
  liveAttention: z.boolean(),
  /** The OpenAI-compatible API on 127.0.0.1; port 0: any that is free. */
  api: z.object({ enabled: z.boolean(), port: z.number().int().min(0).max(65_535) }),
  network: z.object({
    /** http://host:port; null: what the environment says (HTTPS_PROXY). */
    proxy: z.string().max(300).nullable(),
    /** Downloads take no more than this; null: as fast as they come. */
    bytesPerSecond: z.number().int().min(1000).nullable(),
  }),
  /** The most that models and documents may take; null: as much as the disk has. Memories have a limit of their own. */
  caps: z.object({ modelsBytes: count.nullable(), documentsBytes: count.nullable() }),
  /** Keys of actions that the person chose, by the action's id; null: none. */
  shortcuts: z.record(z.string().max(64), z.string().max(40).nullable()),
});
export type Settings = z.infer<typeof settings>;
export const defaultSettings: Settings = {
  theme: 'system',
  defaultModelId: null,
  defaultSampling,
  defaultSystemPrompt: '',
  modelSampling: {},
  language: 'system',
  offline: false,
  kv: { gpuBytes: null, ramBytes: null, format: 'f16', sparseReading: null },
  continueReadings: true,
  evidence: true,
  liveAttention: true,
  api: { enabled: false, port: 7718 },
  network: { proxy: null, bytesPerSecond: null },
  caps: { modelsBytes: null, documentsBytes: null },
  shortcuts: {},
};

export const apiStatus = z.object({
  state: z.enum(['off', 'running', 'failed']),
  /** What clients take as their base URL. */
  address: z.string().nullable(),
  key: z.string(),
  failure: failure.nullable(),
});
export type ApiStatus = z.infer<typeof apiStatus>;
