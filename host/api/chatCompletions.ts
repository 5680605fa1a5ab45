/** `POST /v1/chat/completions`, and questions about documents. */
import { randomUUID } from 'node:crypto';
import { splitReasoning } from '../contract/reasoning.ts';
import type { AnsweredToken, ChatPrompt } from '../gpu-worker/protocol.ts';
import { ApiError } from './apiError.ts';
import { type ApiParts, findModel } from './apiParts.ts';
import type { Exchange } from './exchange.ts';
import { chatLogprobs, finishReason, usageOf } from './replies.ts';
import { type ChatCompletionRequest, type ChatMessage, chatCompletionRequest } from './requests.ts';
import { runCompletion } from './runCompletion.ts';

export async function createChatCompletion(parts: ApiParts, body: unknown, exchange: Exchange): Promise<void> {
  const request = chatCompletionRequest.parse(body);
  const model = findModel(parts, request.model);
  const prompt = promptOf(parts, request);
  const wantsLogprobs = request.logprobs === true;
  const base = { id: `chatcmpl-${randomUUID()}`, created: Math.floor(Date.now() / 1000), model: model.id };
  const stream = request.stream === true ? exchange.stream() : null;
  const chunk = (delta: object, more: { logprobs?: object | null; finish_reason?: string | null } = {}) => ({
    ...base,
    object: 'chat.completion.chunk',
    choices: [{ index: 0, delta, logprobs: null, finish_reason: null, ...more }],
    ...(request.stream_options?.include_usage ? { usage: null } : {}),
  });
  const tokens: AnsweredToken[] = [];
  const toRun = {
    model,
    prompt,
    request: { ...request, max_tokens: request.max_completion_tokens ?? request.max_tokens },
    logprobs: wantsLogprobs ? (request.top_logprobs ?? 0) : undefined,
  };
  const result = await runCompletion(parts, toRun, {
    signal: exchange.signal,
    onAccepted: () => stream?.send(chunk({ role: 'assistant', content: '' })),
    onReading: (done, total) => stream?.comment(`read ${done} of ${total} tokens`),
    onText: (content, added) => {
      tokens.push(...added);
      stream?.send(chunk({ content }, { logprobs: wantsLogprobs ? chatLogprobs(added) : null }));
    },
  });
  const usage = usageOf(result);
  const finish_reason = finishReason(result.statistics);
  if (stream) {
    stream.send({ ...chunk({}, { finish_reason }), longleaf: usage.longleaf });
    if (request.stream_options?.include_usage) stream.send({ ...chunk({}), choices: [], usage });
    return stream.end();
  }
  const message = { role: 'assistant', content: result.text, refusal: null };
  const choice = { index: 0, message, logprobs: wantsLogprobs ? chatLogprobs(tokens) : null, finish_reason };
  exchange.json(200, { ...base, object: 'chat.completion', choices: [choice], usage });
}

function promptOf({ documents }: ApiParts, { messages, documents: ids }: ChatCompletionRequest): ChatPrompt {
  const firstTurn = messages.findIndex(({ role }) => role === 'user' || role === 'assistant');
  const instructions = firstTurn < 0 ? messages : messages.slice(0, firstTurn);
  const turns = mergeTurns(messages.slice(instructions.length));
  const question = turns.pop();
  if (question?.role !== 'user') throw invalidMessages('the last message must be the user’s');
  if (turns.some(({ role }, index) => role !== (index % 2 === 0 ? 'user' : 'assistant'))) throw invalidMessages('the conversation must begin with the user');
  return {
    kind: 'chat',
    documents: (ids ?? []).map((id) => ({ id, name: documents.get(id).name, textPath: documents.textPath(id) })),
    system: instructions.map(({ content }) => content).join('\n\n'),
    history: turns,
    question: question.text,
  };
}

/** Chat templates want questions and answers to alternate: messages of one role in a row become one. */
function mergeTurns(messages: readonly ChatMessage[]): ChatPrompt['history'] {
  const turns: ChatPrompt['history'] = [];
  for (const { role, content } of messages) {
    if (role !== 'user' && role !== 'assistant') throw invalidMessages('system messages come before the conversation');
    const last = turns.at(-1);
    if (last?.role === role) last.text += `\n\n${content}`;
    else turns.push({ role, text: role === 'assistant' ? splitReasoning(content).answer : content });
  }
  return turns;
}

function invalidMessages(why: string): ApiError {
  return new ApiError(400, 'invalid_request', `“messages” is not valid: ${why}.`, 'messages');
}
