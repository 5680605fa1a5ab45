/** What the worker is given of a conversation, and whether it fits the model's window. */
import type { Conversation, Message, Sampling } from '../contract/entities.ts';
import { splitReasoning } from '../contract/reasoning.ts';
import type { DocumentLibrary } from '../documents/documentLibrary.ts';
import { HostError } from '../errors.ts';
import type { ChatPrompt, PromptMeasure } from '../gpu-worker/protocol.ts';
import { formatCount } from '../wording.ts';

export function buildChatPrompt(
  conversation: Conversation,
  documents: DocumentLibrary,
  history: readonly Message[],
  question: string,
): ChatPrompt {
  return {
    kind: 'chat',
    documents: conversation.documentIds.map((id) => ({ id, name: documents.get(id).name, textPath: documents.textPath(id) })),
    system: conversation.systemPrompt,
    history: answeredTurns(history),
    question,
  };
}

/**
 * Chat templates want questions and answers to alternate, so a question whose answer failed before its
 * first word is left out, together with that answer. What a model thought is not said again, as their templates have it.
 */
function answeredTurns(history: readonly Message[]): ChatPrompt['history'] {
  const turns: ChatPrompt['history'] = [];
  for (const [index, message] of history.entries()) {
    const question = history[index - 1];
    const { answer } = splitReasoning(message.text);
    if (message.role !== 'assistant' || question?.role !== 'user' || answer.trim() === '') continue;
    turns.push({ role: 'user', text: question.text }, { role: 'assistant', text: answer });
  }
  return turns;
}

/** The refusal of a prompt that does not fit, with both numbers; a document is never cut. */
export function refusalFor(measure: PromptMeasure, sampling: Sampling, modelName: string): HostError | null {
  const reserve = sampling.maxTokens;
  if (measure.totalTokens + reserve <= measure.windowTokens) return null;
  const window = `${modelName} holds ${formatCount(measure.windowTokens)}`;
  if (measure.totalTokens <= measure.windowTokens) {
    return new HostError(
      'answer-too-long-to-fit',
      `The prompt is ${formatCount(measure.totalTokens)} tokens and ${formatCount(reserve)} are kept for the answer; ${window}.`,
      'Allow a shorter answer, remove a document, or choose a model with a longer window.',
    );
  }
  return new HostError(
    'prompt-too-long',
    `The prompt is ${formatCount(measure.totalTokens)} tokens; ${window}.`,
    'Remove a document, ask a shorter question, or choose a model with a longer window.',
  );
}
