/** Pieces that all kinds of completions answer with. */
import type { AnswerStatistics } from '../contract/entities.ts';
import type { AnsweredToken, GenerateResult } from '../gpu-worker/protocol.ts';

export function finishReason({ stopReason }: AnswerStatistics): 'stop' | 'length' {
  return stopReason === 'length' || stopReason === 'context' ? 'length' : 'stop';
}

/** True counts, and what attention did with every key: nothing is left out without being named. */
export function usageOf({ statistics, policy }: GenerateResult) {
  const { promptTokens, answerTokens, reusedTokens, keptTokens, notKept, partlyRead, policy: outcome } = statistics;
  return {
    prompt_tokens: promptTokens,
    completion_tokens: answerTokens,
    total_tokens: promptTokens + answerTokens,
    prompt_tokens_details: { cached_tokens: reusedTokens },
    longleaf: {
      policy: outcome?.name ?? policy['name'],
      /** A mean over steps, layers and heads; the last four add up to the total. */
      keys: outcome && { total: outcome.totalKeys, exact: outcome.exactKeys, estimated: outcome.estimatedKeys, missed: outcome.missedKeys, dropped: outcome.droppedKeys },
      dropped: outcome?.droppedKeys ?? 0,
      dropped_because: outcome?.droppedBecause ?? null,
      kept_tokens: keptTokens,
      not_kept: notKept?.message ?? null,
      partly_read: partlyRead.map(({ id, readTokens, tokens }) => ({ document: id, read_tokens: readTokens, tokens })),
      reading_ms: Math.round(statistics.readingMs),
      answering_ms: Math.round(statistics.answeringMs),
    },
  };
}

export function chatLogprobs(tokens: readonly AnsweredToken[]) {
  return {
    content: tokens.map(({ text, bytes, logprob, top }) => ({
      token: text,
      bytes,
      logprob,
      top_logprobs: top.map((likely) => ({ token: likely.text, bytes: likely.bytes, logprob: likely.logprob })),
    })),
    refusal: null,
  };
}

/** The older shape, of plain completions; `startCharacters`: of the first of these tokens in the answer. */
export function textLogprobs(tokens: readonly AnsweredToken[], startCharacters: number) {
  let offset = startCharacters;
  return {
    tokens: tokens.map(({ text }) => text),
    token_logprobs: tokens.map(({ logprob }) => logprob),
    top_logprobs: tokens.map(({ top }) => Object.fromEntries(top.map(({ text, logprob }) => [text, logprob]))),
    text_offset: tokens.map(({ text }) => {
      const start = offset;
      offset += text.length;
      return start;
    }),
  };
}
