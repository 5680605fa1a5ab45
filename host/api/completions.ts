/** `POST /v1/completions`: a prompt as it is, without a chat template; and `POST /v1/tokenize`. */
import { randomUUID } from 'node:crypto';
import * as z from 'zod';
import type { AnsweredToken } from '../gpu-worker/protocol.ts';
import { modelTarget } from '../models/modelTarget.ts';
import { type ApiParts, findModel } from './apiParts.ts';
import type { Exchange } from './exchange.ts';
import { finishReason, textLogprobs, usageOf } from './replies.ts';
import { completionRequest, tokenizeRequest } from './requests.ts';
import { runCompletion } from './runCompletion.ts';

/** What OpenAI's API answers with when nobody says how much. */
const usualTokens = 16;

export async function createCompletion(parts: ApiParts, body: unknown, exchange: Exchange): Promise<void> {
  const request = completionRequest.parse(body);
  const model = findModel(parts, request.model);
  const { prompt } = request;
  const logprobs = request.logprobs ?? undefined;
  const base = { id: `cmpl-${randomUUID()}`, object: 'text_completion', created: Math.floor(Date.now() / 1000), model: model.id };
  const stream = request.stream === true ? exchange.stream() : null;
  const includesUsage = request.stream_options?.include_usage === true;
  const tokens: AnsweredToken[] = [];
  let characters = 0;
  const toRun = {
    model,
    prompt: typeof prompt === 'string' ? { kind: 'raw' as const, text: prompt } : { kind: 'tokens' as const, tokens: prompt },
    request: { ...request, max_tokens: request.max_tokens ?? usualTokens },
    logprobs,
  };
  const result = await runCompletion(parts, toRun, {
    signal: exchange.signal,
    onAccepted: () => stream?.open(),
    onReading: (done, total) => stream?.comment(`read ${done} of ${total} tokens`),
    onText: (text, added) => {
      tokens.push(...added);
      const choice = { index: 0, text, logprobs: logprobs === undefined ? null : textLogprobs(added, characters), finish_reason: null };
      characters += text.length;
      stream?.send({ ...base, choices: [choice], ...(includesUsage ? { usage: null } : {}) });
    },
  });
  const usage = usageOf(result);
  const finish_reason = finishReason(result.statistics);
  if (stream) {
    stream.send({ ...base, choices: [{ index: 0, text: '', logprobs: null, finish_reason }], longleaf: usage.longleaf });
    if (includesUsage) stream.send({ ...base, choices: [], usage });
    return stream.end();
  }
  const choice = { index: 0, text: result.text, logprobs: logprobs === undefined ? null : textLogprobs(tokens, 0), finish_reason };
  exchange.json(200, { ...base, choices: [choice], usage });
}

/** The model's own tokens of a text; control tokens spelled out in it stay text. */
export async function tokenize(parts: ApiParts, body: unknown, exchange: Exchange): Promise<void> {
  const { model: wanted, text } = tokenizeRequest.parse(body);
  const model = findModel(parts, wanted);
  const target = modelTarget(parts.models, model, parts.settings.read().kv, null);
  const { signal } = exchange;
  const { tokens } = await parts.line.aside(() =>
    parts.session.use(target, { signal }, () => parts.supervisor.run({ kind: 'tokens', text }, z.object({ tokens: z.array(z.number().int()) }), { signal })),
  );
  exchange.json(200, { model: model.id, tokens, count: tokens.length });
}
