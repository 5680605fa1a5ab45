/** Asking and answering: every acknowledged message is on disk before anyone hears of it. */
import type { ContextMeter, ContextTiers, Conversation, Message, ModelRecord } from '../contract/entities.ts';
import type { DocumentLibrary } from '../documents/documentLibrary.ts';
import { HostError, isCancelled, toFailure } from '../errors.ts';
import type { HostEvents } from '../events.ts';
import { type Keeping, promptMeasure } from '../gpu-worker/protocol.ts';
import type { LiveAnswers } from '../inspector/liveAnswers.ts';
import type { MemoryShelf } from '../memories/memoryShelf.ts';
import { missingFile } from '../models/modelFileFailures.ts';
import type { ModelStore } from '../models/modelStore.ts';
import { modelTarget } from '../models/modelTarget.ts';
import type { SettingsStore } from '../storage/settingsStore.ts';
import type { ModelSession, ModelTarget } from '../worker/modelSession.ts';
import type { WorkerSupervisor } from '../worker/supervisor.ts';
import type { WorkLine } from '../worker/workLine.ts';
import { answerQuestion, readingSpeed } from './answerJob.ts';
import { AnswerStream } from './answerStream.ts';
import { buildChatPrompt, refusalFor } from './chatPrompt.ts';
import { contextTiers } from './contextTiers.ts';
import type { ConversationStore } from './conversationStore.ts';
import type { AnswerEnd, MessageTree } from './messageTree.ts';
import type { Progress } from './progressMeter.ts';
import { titleFrom } from './title.ts';

export interface ChatParts {
  conversations: ConversationStore;
  messages: MessageTree;
  documents: DocumentLibrary;
  models: ModelStore;
  settings: SettingsStore;
  supervisor: WorkerSupervisor;
  session: ModelSession;
  line: WorkLine;
  memories: MemoryShelf;
  events: HostEvents;
  live: LiveAnswers;
}

interface RunningAnswer {
  messageId: string;
  abort: AbortController;
  stream: AnswerStream;
  ended: Promise<void>;
}

interface Turn {
  question: Message;
  answer: Message;
  model: ModelRecord;
  onlyRead: boolean;
}

export class Chat {
  readonly #parts: ChatParts;
  /** By conversation. */
  readonly #running = new Map<string, RunningAnswer>();
  #closing = false;

  constructor(parts: ChatParts) {
    this.#parts = parts;
  }

  /** Answers that are being written or wait for their turn. */
  get running(): number {
    return this.#running.size;
  }

  messages(conversationId: string): Message[] {
    this.#parts.conversations.get(conversationId);
    const path = this.#parts.messages.path(this.#parts.messages.activeLeaf(conversationId));
    return path.map((message) => this.#withLiveText(message));
  }

  /** `onlyRead`: from what has been read of the documents so far. */
  send(conversationId: string, text: string, { onlyRead = false } = {}): { question: Message; answer: Message } {
    const { conversations, messages } = this.#parts;
    const conversation = conversations.get(conversationId);
    this.#refuseSecondAnswer(conversationId);
    const model = this.#modelFor(conversation);
    const parentId = messages.activeLeaf(conversationId);
    const turn = messages.addTurn(conversationId, parentId, text, model.name);
    if (parentId === null) conversations.titleFromQuestion(conversationId, titleFrom(text));
    this.#announce(turn.question, turn.answer);
    this.#enqueue(turn.question, turn.answer, model, onlyRead);
    return turn;
  }

  edit(messageId: string, text: string): { question: Message; answer: Message } {
    const old = this.#parts.messages.get(messageId);
    if (old.role !== 'user') throw new HostError('bad-request', 'Only a question can be edited.', 'Regenerate the answer instead.');
    this.#refuseSecondAnswer(old.conversationId);
    const model = this.#modelFor(this.#parts.conversations.get(old.conversationId));
    const turn = this.#parts.messages.addTurn(old.conversationId, old.parentId, text, model.name);
    this.#announce(turn.question, turn.answer);
    this.#enqueue(turn.question, turn.answer, model);
    return turn;
  }

  regenerate(messageId: string): Message {
    const chosen = this.#parts.messages.get(messageId);
    const question = chosen.role === 'user' ? chosen : this.#parts.messages.get(chosen.parentId ?? '');
    this.#refuseSecondAnswer(question.conversationId);
    const model = this.#modelFor(this.#parts.conversations.get(question.conversationId));
    const answer = this.#parts.messages.addAnswer(question, model.name);
    this.#announce(answer);
    this.#enqueue(question, answer, model);
    return answer;
  }

  select(messageId: string): Message[] {
    const { conversationId } = this.#parts.messages.get(messageId);
    this.#parts.messages.select(messageId);
    return this.messages(conversationId);
  }

  /** Resolves when the answer has stopped and is saved. */
  async stop(conversationId: string): Promise<void> {
    const running = this.#running.get(conversationId);
    running?.abort.abort();
    await running?.ended;
  }

  async meter(conversationId: string, draft: string): Promise<ContextMeter> {
    const { conversations, documents, messages, session, supervisor, models } = this.#parts;
    const conversation = conversations.get(conversationId);
    const model = this.#modelFor(conversation);
    const history = messages.path(messages.activeLeaf(conversationId));
    const prompt = buildChatPrompt(conversation, documents, history, draft);
    const keeping = await this.#keeping(conversation, model);
    const measure = await session.use(this.#target(model, conversation), {}, () => supervisor.run({ kind: 'measure', prompt, keeping }, promptMeasure));
    const refusal = refusalFor(measure, conversation.sampling, model.name);
    const reserve = conversation.sampling.maxTokens;
    return {
      windowTokens: measure.windowTokens,
      trainedTokens: measure.trainedTokens,
      layers: measure.layers,
      headerTokens: measure.headerTokens,
      systemTokens: measure.systemTokens,
      documents: measure.documents.map(({ id, tokens }) => ({ documentId: id, name: documents.get(id).name, tokens })),
      historyTokens: measure.historyTokens,
      questionTokens: measure.questionTokens,
      answerReserveTokens: reserve,
      freeTokens: measure.windowTokens - measure.totalTokens - reserve,
      refusal: refusal && toFailure(refusal),
      cachedTokens: measure.cachedTokens,
      tiers: contextTiers(measure, conversation.policy),
      readingTokensPerSecond: models.readingSpeed(model.id),
      keptBytesPerToken: measure.keptBytesPerToken,
    };
  }

  /** Ends what is being written; it can be regenerated after the next start. */
  async close(): Promise<void> {
    this.#closing = true;
    for (const { abort } of this.#running.values()) abort.abort();
    await this.#parts.line.ended();
  }

  #withLiveText(message: Message): Message {
    const running = this.#running.get(message.conversationId);
    return running?.messageId === message.id ? { ...message, text: running.stream.emittedText } : message;
  }

  #refuseSecondAnswer(conversationId: string): void {
    if (!this.#running.has(conversationId)) return;
    throw new HostError('answer-in-progress', 'An answer is still being written in this conversation.', 'Wait for it, or stop it first.');
  }

  #modelFor(conversation: Conversation): ModelRecord {
    const { models, settings } = this.#parts;
    const chosen = conversation.modelId === null ? undefined : models.find(conversation.modelId);
    const model = chosen ?? models.defaultModel(settings.read().defaultModelId);
    if (model.state === 'missing') throw missingFile(model);
    return model;
  }

  /** What answers in it. @throws as an answer would. */
  modelOf(conversation: Conversation): { model: ModelRecord; target: ModelTarget } {
    const model = this.#modelFor(conversation);
    return { model, target: this.#target(model, conversation) };
  }

  #target(model: ModelRecord, { policy }: Conversation) {
    const { models, settings } = this.#parts;
    return modelTarget(models, model, settings.read().kv, policy);
  }

  #keeping({ id, title }: Conversation, { name }: ModelRecord): Promise<Keeping> {
    return this.#parts.memories.keeping(name, { id, title });
  }

  #announce(...added: Message[]): void {
    const { conversations, events } = this.#parts;
    for (const message of added) events.emit('message.changed', message);
    const first = added[0];
    if (first) events.emit('conversation.changed', conversations.touch(first.conversationId));
  }

  #enqueue(question: Message, answer: Message, model: ModelRecord, onlyRead = false): void {
    const { conversationId, id: messageId } = answer;
    const { messages, events, line } = this.#parts;
    const stream = new AnswerStream({
      emit: (offset, text) => events.emit('answer.delta', { conversationId, messageId, offset, text }),
      save: (text) => messages.saveText(messageId, text),
    });
    const abort = new AbortController();
    this.#progress(answer, { phase: 'queued', done: 0, total: 0, perSecond: 0, secondsLeft: null });
    const ended = line.answer(abort.signal, () => this.#write({ question, answer, model, onlyRead }, stream, abort.signal));
    this.#running.set(conversationId, { messageId, abort, stream, ended });
  }

  /** Never rejects: whatever happens is the end of the message. */
  async #write(turn: Turn, stream: AnswerStream, signal: AbortSignal): Promise<void> {
    const { answer } = turn;
    const end = await this.#generate(turn, stream, signal).catch((error: unknown): AnswerEnd => {
      const text = stream.text;
      if (this.#closing) return { text, state: 'interrupted', failure: null, statistics: null };
      if (isCancelled(error) && signal.aborted) return { text, state: 'stopped', failure: null, statistics: null };
      return { text, state: 'failed', failure: toFailure(error), statistics: null };
    });
    stream.end();
    this.#running.delete(answer.conversationId);
    try {
      const ended = this.#parts.messages.finish(answer.id, end);
      this.#parts.live.end(answer.id, this.#parts.conversations.get(answer.conversationId).documentIds, end.text.trim() !== '');
      this.#parts.events.emit('message.changed', ended);
      // What was read for it is kept.
      this.#parts.events.emit('memories.changed', {});
    } catch (error) {
      // The conversation was removed while it was answered.
      if (toFailure(error).code !== 'message-not-found') throw error;
      this.#parts.live.end(answer.id, [], false);
    }
  }

  async #generate({ question, answer, model, onlyRead }: Turn, stream: AnswerStream, signal: AbortSignal): Promise<AnswerEnd> {
    const { conversations, documents, messages, models, session, supervisor, settings, live } = this.#parts;
    const conversation = conversations.get(answer.conversationId);
    let tiers: ContextTiers | null = null;
    const { text, statistics } = await answerQuestion(session, supervisor, {
      model: this.#target(model, conversation),
      modelName: model.name,
      prompt: { ...buildChatPrompt(conversation, documents, messages.path(question.parentId), question.text), ...(onlyRead ? { onlyRead } : {}) },
      sampling: conversation.sampling,
      policy: conversation.policy ?? undefined,
      keeping: await this.#keeping(conversation, model),
      signal,
      onTiers: (known) => (tiers = known),
      onProgress: (progress) => this.#progress(answer, progress, tiers),
      onToken: (token) => stream.append(token.text),
      onAttention: settings.read().liveAttention && conversation.documentIds.length > 0 ? (told) => live.add(answer.id, told) : undefined,
    });
    const speed = readingSpeed(statistics);
    if (speed !== null) models.rememberReadingSpeed(model.id, speed);
    const stopped = statistics.stopReason === 'cancelled';
    const state = !stopped ? 'complete' : this.#closing ? 'interrupted' : 'stopped';
    return { text, state, failure: null, statistics };
  }

  #progress({ conversationId, id: messageId }: Message, progress: Progress, tiers: ContextTiers | null = null): void {
    this.#parts.events.emit('answer.progress', { conversationId, messageId, ...progress, tiers });
  }
}
