/**
 * What becomes of a conversation that passes its window: it stops there, goes on with keys and values beyond the GPU, or
 * goes on in a new chat from a summary. The person chooses; the choice is kept as an event of the conversation.
 */
import type { ConversationEvent, EventDetails } from '../contract/chatEntities.ts';
import { type Conversation, defaultSampling, type Message } from '../contract/entities.ts';
import { splitReasoning } from '../contract/reasoning.ts';
import { HostError } from '../errors.ts';
import { type ChatPrompt, promptMeasure } from '../gpu-worker/protocol.ts';
import type { ModelTarget } from '../worker/modelSession.ts';
import { answerQuestion } from './answerJob.ts';
import type { Chat, ChatParts } from './chat.ts';
import type { EventStore } from './eventStore.ts';

const summaryTokens = 400;

interface Turn {
  question: string;
  answer: string;
}

export class PastWindow {
  readonly #parts: ChatParts;
  readonly #chat: Chat;
  readonly #conversationEvents: EventStore;
  /** Summaries being written, by conversation. */
  readonly #running = new Map<string, AbortController>();

  constructor(parts: ChatParts, chat: Chat, conversationEvents: EventStore) {
    this.#parts = parts;
    this.#chat = chat;
    this.#conversationEvents = conversationEvents;
  }

  /** Resolves to the chat to go on in. */
  async choose(conversationId: string, choice: 'stop' | 'offload' | 'summary'): Promise<Conversation> {
    const { conversations } = this.#parts;
    if (choice === 'summary') return this.#continueFromSummary(conversations.get(conversationId));
    const { tiers, windowTokens, answerReserveTokens, freeTokens } = await this.#chat.meter(conversationId, '');
    const promptTokens = windowTokens - answerReserveTokens - freeTokens;
    this.#add(
      conversationId,
      choice === 'stop'
        ? { kind: 'stopped', promptTokens, windowTokens }
        : { kind: 'offloaded', residentTokens: tiers.residentTokens, offloadedTokens: tiers.offloadedTokens },
    );
    return conversations.get(conversationId);
  }

  stop(conversationId: string): void {
    this.#running.get(conversationId)?.abort();
  }

  #add(conversationId: string, details: EventDetails): ConversationEvent {
    const event = this.#conversationEvents.add(conversationId, this.#parts.messages.activeLeaf(conversationId), details);
    this.#parts.events.emit('conversation.event', event);
    return event;
  }

  async #continueFromSummary(old: Conversation): Promise<Conversation> {
    const { conversations, messages, events } = this.#parts;
    if (this.#running.has(old.id)) throw new HostError('answer-in-progress', 'This conversation is being summarised already.', 'Wait for it, or stop it first.');
    const turns = turnsOf(messages.path(messages.activeLeaf(old.id)));
    if (turns.length === 0) throw new HostError('bad-request', 'There is nothing in this conversation to summarise.', 'Start a new chat.');
    const abort = new AbortController();
    this.#running.set(old.id, abort);
    try {
      const { summary, used } = await this.#summarise(old, turns, abort.signal);
      const { id: _id, createdAtMs: _created, updatedAtMs: _updated, ...same } = old;
      const systemPrompt = [old.systemPrompt, `Summary of the conversation so far:\n${summary}`].filter(Boolean).join('\n\n');
      const next = conversations.create({ ...same, title: nextTitle(old.title), pinned: false, systemPrompt }, { systemPrompt, sampling: old.sampling });
      this.#add(old.id, { kind: 'continued', conversationId: next.id, title: next.title });
      this.#add(next.id, { kind: 'begun', conversationId: old.id, title: old.title, summary, turns: used, turnsLeftOut: turns.length - used });
      events.emit('conversation.changed', next);
      return next;
    } finally {
      this.#running.delete(old.id);
    }
  }

  async #summarise(conversation: Conversation, turns: readonly Turn[], signal: AbortSignal): Promise<{ summary: string; used: number }> {
    const { line, session, supervisor } = this.#parts;
    const { model, target } = this.#chat.modelOf(conversation);
    let result: { summary: string; used: number } | undefined;
    let failure: unknown;
    await line.answer(signal, async () => {
      try {
        const used = await this.#turnsThatFit(target, turns, signal);
        const { text } = await answerQuestion(session, supervisor, {
          model: target,
          modelName: model.name,
          prompt: summaryPrompt(turns.slice(-used)),
          sampling: { ...defaultSampling, maxTokens: summaryTokens, repetitionPenalty: 1.1 },
          signal,
          onProgress: () => undefined,
          onToken: () => undefined,
        });
        result = { summary: splitReasoning(text).answer.trim(), used };
      } catch (error) {
        failure = error;
      }
    });
    if (signal.aborted || !result) throw failure ?? new HostError('cancelled', 'The summary was stopped.', 'Nothing has changed.');
    return result;
  }

  /** How many of the latest turns the model can read at once; at least one. */
  async #turnsThatFit(target: ModelTarget, turns: readonly Turn[], signal: AbortSignal): Promise<number> {
    const { session, supervisor } = this.#parts;
    let count = turns.length;
    for (;;) {
      const prompt = summaryPrompt(turns.slice(-count));
      const { totalTokens, windowTokens } = await session.use(target, { signal }, () => supervisor.run({ kind: 'measure', prompt }, promptMeasure, { signal }));
      const room = windowTokens - summaryTokens;
      if (totalTokens <= room || count === 1) return count;
      // Turns are of different lengths: at least one fewer, and by their mean length as many as are too many.
      count = Math.max(1, Math.min(count - 1, Math.floor((count * room) / totalTokens)));
    }
  }
}

function turnsOf(path: readonly Message[]): Turn[] {
  return path.flatMap((message, index) => {
    const question = path[index - 1];
    const { answer } = splitReasoning(message.text);
    return message.role === 'assistant' && question && answer.trim() !== '' ? [{ question: question.text, answer }] : [];
  });
}

function summaryPrompt(turns: readonly Turn[]): ChatPrompt {
  const transcript = turns.map(({ question, answer }) => `Question: ${question}\n\nAnswer: ${answer}`).join('\n\n');
  const question = `${transcript}\n\nSummarise the conversation above in at most 250 words, in its own language: what was asked, what was found, names and numbers that matter, what is still open. Write only the summary.`;
  return { kind: 'chat', documents: [], system: '', history: [], question };
}

/** “Title” → “Title (2)” → “Title (3)”. */
function nextTitle(title: string): string {
  const numbered = /^(.*) \((\d{1,6})\)$/s.exec(title);
  return numbered ? `${numbered[1]} (${Number(numbered[2]) + 1})` : `${title} (2)`;
}
