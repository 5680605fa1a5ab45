/**
 * What may be asked for. What OpenAI's API knows and this engine does not do is refused by name; fields that change
 * nothing about an answer are taken and left aside. Beyond OpenAI's: `documents`, `policy`, `top_k`, `min_p`,
 * `repetition_penalty`.
 */
import * as z from 'zod';
import { identifier } from '../contract/entities.ts';
import { policySetting } from '../contract/policy.ts';

const notDone = (what: string) => `${what} is not supported here`;
const none = z.union([z.null(), z.literal(0)], notDone('a penalty other than 0'));
const stop = z.union([z.string().min(1), z.array(z.string().min(1)).max(16), z.null()]).optional();

/** Sampling and what both kinds of completions share. */
const common = {
  /** An id or a name of `models`. Without one, the default model. */
  model: z.string().min(1).max(255).nullish(),
  stream: z.boolean().nullish(),
  stream_options: z.object({ include_usage: z.boolean().nullish(), include_obfuscation: z.boolean().nullish() }).strict().nullish(),
  temperature: z.number().min(0).max(5).nullish(),
  top_p: z.number().min(0).max(1).nullish(),
  top_k: z.number().int().min(0).max(1000).nullish(),
  min_p: z.number().min(0).max(1).nullish(),
  repetition_penalty: z.number().min(0.5).max(2).nullish(),
  seed: z.number().int().min(0).max(0xffff_ffff).nullish(),
  max_tokens: z.number().int().min(1).max(32_768).nullish(),
  stop,
  policy: policySetting.strict().nullish(),
  n: z.literal(1, notDone('more than one answer at a time')).nullish(),
  frequency_penalty: none.optional(),
  presence_penalty: none.optional(),
  logit_bias: z.union([z.null(), z.object({}).strict()], notDone('logit_bias')).optional(),
  user: z.string().nullish(),
};
/** They concern OpenAI's own service. */
const leftAside = {
  metadata: z.unknown().optional(),
  store: z.unknown().optional(),
  service_tier: z.unknown().optional(),
  safety_identifier: z.unknown().optional(),
  prompt_cache_key: z.unknown().optional(),
  parallel_tool_calls: z.unknown().optional(),
};

const textPart = z.object({ type: z.literal('text', notDone('content other than text')), text: z.string() });
const content = z.union([z.string(), z.array(textPart).min(1)], 'only text is read: a string, or parts of type “text”').transform((given) => (typeof given === 'string' ? given : given.map(({ text }) => text).join('')));
const message = z.object({
  role: z.enum(['system', 'developer', 'user', 'assistant'], 'roles are system, developer, user and assistant'),
  content,
  name: z.string().optional(),
});
export type ChatMessage = z.output<typeof message>;

export const chatCompletionRequest = z
  .object({
    ...common,
    ...leftAside,
    messages: z.array(message).min(1),
    max_completion_tokens: common.max_tokens,
    logprobs: z.boolean().nullish(),
    top_logprobs: z.number().int().min(0).max(20).nullish(),
    /** Ids of `documents`; they are read as a whole, or come from memories that have been read. */
    documents: z.array(identifier).max(64).nullish(),
    response_format: z.object({ type: z.literal('text', notDone('a response format other than text')) }).nullish(),
    tools: z.array(z.unknown()).max(0, notDone('calling tools')).nullish(),
    tool_choice: z.enum(['none', 'auto'], notDone('calling tools')).nullish(),
  })
  .strict()
  .refine(({ logprobs, top_logprobs: top }) => top === undefined || top === null || logprobs === true, { path: ['top_logprobs'], message: 'it needs “logprobs”: true' });
export type ChatCompletionRequest = z.output<typeof chatCompletionRequest>;

export const completionRequest = z
  .object({
    ...common,
    ...leftAside,
    /** Without a chat template; or its tokens. */
    prompt: z.union([z.string().min(1), z.array(z.number().int().nonnegative()).min(1)], 'one prompt at a time: a string, or a list of tokens'),
    logprobs: z.number().int().min(0).max(20).nullish(),
    echo: z.literal(false, notDone('echo')).nullish(),
    best_of: z.literal(1, notDone('best_of')).nullish(),
    suffix: z.union([z.null(), z.literal('')], notDone('suffix')).optional(),
  })
  .strict();
export type CompletionRequest = z.output<typeof completionRequest>;

export const tokenizeRequest = z.object({ model: common.model, text: z.string().max(50_000_000) }).strict();
export const addDocumentRequest = z.object({ name: z.string().min(1).max(255), text: z.string().max(50_000_000) }).strict();
export const readDocumentRequest = z.object({ model: common.model }).strict();
/** As `chat/completions`, with a question for the messages. */
export const askDocumentRequest = z.looseObject({ question: z.string().min(1).max(20_000_000) });

export type CommonRequest = Pick<CompletionRequest, keyof typeof common>;
