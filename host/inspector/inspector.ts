/**
 * Looks into answers: once nobody waits for one, for what the last ones rest on; and for whatever a person looks at. It
 * shares the GPU politely: an answer that is asked for ends what it does, which begins anew afterwards.
 */
import * as z from 'zod';
import type { Conversation, Message, ModelRecord } from '../contract/entities.ts';
import type { LiveAttention } from '../contract/liveAttention.ts';
import type { Ablation, EvidenceState, Profile, ProfileRequest, Retrieval, Tile, TileRequest, TriangleRequest } from '../contract/inspection.ts';
import { defaultPolicySetting, policyEstimates, type PolicySetting } from '../contract/policy.ts';
import { buildChatPrompt } from '../conversations/chatPrompt.ts';
import type { ConversationStore } from '../conversations/conversationStore.ts';
import type { MessageTree } from '../conversations/messageTree.ts';
import type { DocumentLibrary } from '../documents/documentLibrary.ts';
import { cancelled, HostError, isCancelled, toFailure } from '../errors.ts';
import type { HostEvents } from '../events.ts';
import { retrieval, tile } from '../contract/inspection.ts';
import { inspectionResults, type InspectionWish } from '../gpu-worker/protocol.ts';
import type { MemoryShelf } from '../memories/memoryShelf.ts';
import type { ModelStore } from '../models/modelStore.ts';
import { modelTarget } from '../models/modelTarget.ts';
import type { SettingsStore } from '../storage/settingsStore.ts';
import type { ModelSession } from '../worker/modelSession.ts';
import type { WorkerSupervisor } from '../worker/supervisor.ts';
import type { WorkLine } from '../worker/workLine.ts';
import type { EvidenceStore } from './evidenceStore.ts';
import type { LiveAnswers } from './liveAnswers.ts';
import type { TileCache } from './tileCache.ts';

export interface InspectorParts {
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
  evidence: EvidenceStore;
  live: LiveAnswers;
  tiles: TileCache;
}

interface Asked {
  answer: Message;
  question: Message;
  conversation: Conversation;
  model: ModelRecord;
}

const keptTile = tile.omit({ cached: true });

/** How long nothing must happen before an answer is looked into by itself. */
const quietMs = 300;

export class Inspector {
  readonly #parts: InspectorParts;
  /** Answers that wait to be looked into, the newest last. */
  readonly #waiting = new Set<string>();
  readonly #failures = new Map<string, unknown>();
  readonly #looking = new Map<string, Set<AbortController>>();
  #working: string | null = null;
  #closing = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(parts: InspectorParts) {
    this.#parts = parts;
    parts.line.onBusy((busy) => {
      if (!busy) this.#soon();
    });
    parts.events.subscribe((name, payload) => {
      if (name !== 'message.changed') return;
      const message = payload as Message;
      if (message.role === 'assistant' && message.state === 'complete' && parts.settings.read().evidence) this.#want(message.id);
    });
  }

  /** Asks for it when it is not there yet. */
  evidence(messageId: string): EvidenceState {
    const asked = this.#asked(messageId);
    const { documentIds } = asked.conversation;
    const known = this.#parts.evidence.find(messageId, documentIds);
    if (known) return { state: 'ready', evidence: known, failure: null };
    const failure = this.#failures.get(messageId);
    if (failure !== undefined) {
      this.#failures.delete(messageId);
      return { state: 'none', evidence: null, failure: toFailure(failure) };
    }
    if (!worthLooking(asked)) return { state: 'none', evidence: null, failure: null };
    this.#want(messageId);
    return { state: this.#working === messageId ? 'working' : 'waiting', evidence: null, failure: null };
  }

  /** What was recorded while it was written. */
  live(messageId: string): LiveAttention | null {
    return this.#parts.live.find(messageId, this.#asked(messageId).conversation.documentIds);
  }

  async tile(request: TileRequest): Promise<Tile> {
    const { messageId, asDecoded, ...view } = request;
    const asked = this.#asked(messageId);
    const wish = { ...view, ...(asDecoded ? { asDecoded: policyOf(asked) } : {}) };
    const content = [1, asked.model.sha256 ?? asked.model.id, messageId, asked.conversation.documentIds, wish, ...(asDecoded ? [this.#parts.settings.read().kv] : [])];
    return this.#cancellable(messageId, async (abort) => {
      const known = await this.#parts.tiles.find(content, keptTile);
      if (known) return { ...known, cached: true };
      const computed = await this.#look(asked, { name: 'tile', ...wish }, inspectionResults.tile, abort);
      await this.#parts.tiles.keep(content, computed);
      return { ...computed, cached: false };
    });
  }

  /** A part of the prompt's own attention. It takes as long as reading its rows, and tells how far it is. */
  async triangle(request: TriangleRequest): Promise<Tile> {
    const { messageId, ...wish } = request;
    const asked = this.#asked(messageId);
    const content = ['triangle 1', asked.model.sha256 ?? asked.model.id, messageId, asked.conversation.documentIds, wish];
    return this.#cancellable(messageId, async (abort) => {
      const known = await this.#parts.tiles.find(content, keptTile);
      if (known) return { ...known, cached: true };
      const onProgress = ({ done, total }: { done: number; total: number }): void => this.#parts.events.emit('inspection.progress', { messageId, done, total });
      const computed = await this.#look(asked, { name: 'triangle', ...wish }, inspectionResults.triangle, abort, onProgress);
      await this.#parts.tiles.keep(content, computed);
      return { ...computed, cached: false };
    });
  }

  /** What the policy did; computed once for an answer and a policy. */
  async retrieval(messageId: string): Promise<Retrieval> {
    const asked = this.#asked(messageId);
    const { policy, documentIds } = asked.conversation;
    const content = ['retrieval 1', asked.model.sha256 ?? asked.model.id, messageId, documentIds, policy, this.#parts.settings.read().kv];
    return this.#cancellable(messageId, async (abort) => {
      const known = await this.#parts.tiles.find(content, retrieval);
      if (known) return known;
      const computed = await this.#look(asked, { name: 'retrieval', policy: policy ?? undefined }, inspectionResults.retrieval, abort);
      await this.#parts.tiles.keep(content, computed);
      return computed;
    });
  }

  profile({ messageId, ...wish }: ProfileRequest): Promise<Profile> {
    const asked = this.#asked(messageId);
    return this.#cancellable(messageId, (abort) => this.#look(asked, { name: 'profile', ...wish }, inspectionResults.profile, abort));
  }

  ablate(messageId: string, passage: { documentId: string; start: number; end: number }): Promise<Ablation> {
    const asked = this.#asked(messageId);
    return this.#cancellable(messageId, (abort) => this.#look(asked, { name: 'ablation', ...passage }, inspectionResults.ablation, abort));
  }

  /** Ends what is being looked at in an answer. */
  cancel(messageId: string): void {
    for (const controller of this.#looking.get(messageId) ?? []) controller.abort();
  }

  close(): void {
    this.#closing = true;
    clearTimeout(this.#timer);
    for (const messageId of this.#looking.keys()) this.cancel(messageId);
  }

  #want(messageId: string): void {
    if (this.#working === messageId) return;
    this.#waiting.delete(messageId);
    this.#waiting.add(messageId);
    this.#soon();
  }

  #soon(): void {
    if (this.#closing || this.#timer) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      void this.#next();
    }, quietMs);
    this.#timer.unref();
  }

  async #next(): Promise<void> {
    const newest = [...this.#waiting].at(-1);
    if (this.#closing || this.#working !== null || this.#parts.line.busy || newest === undefined) return;
    this.#waiting.delete(newest);
    this.#working = newest;
    const { events } = this.#parts;
    events.emit('evidence.changed', { messageId: newest });
    let again = false;
    try {
      await this.#lookInto(newest);
    } catch (error) {
      // An answer was asked for in between.
      again = isCancelled(error);
      if (!again && toFailure(error).code !== 'message-not-found') this.#failures.set(newest, error);
    }
    this.#working = null;
    if (this.#closing) return;
    events.emit('evidence.changed', { messageId: newest });
    if (again) this.#waiting.add(newest);
    this.#soon();
  }

  async #lookInto(messageId: string): Promise<void> {
    const asked = this.#asked(messageId);
    const { documentIds } = asked.conversation;
    if (!worthLooking(asked) || this.#parts.evidence.find(messageId, documentIds)) return;
    const evidence = await this.#cancellable(messageId, (abort) => this.#look(asked, { name: 'evidence' }, inspectionResults.evidence, abort));
    this.#parts.evidence.save(messageId, documentIds, evidence);
    this.#parts.live.forget(messageId);
  }

  /** Runs what `cancel` can end. */
  async #cancellable<T>(messageId: string, work: (abort: AbortController) => Promise<T>): Promise<T> {
    const abort = new AbortController();
    const looking = this.#looking.get(messageId) ?? new Set();
    this.#looking.set(messageId, looking.add(abort));
    try {
      return await work(abort);
    } finally {
      looking.delete(abort);
      if (looking.size === 0) this.#looking.delete(messageId);
    }
  }

  /** Runs beside no answer: waits for those that were asked for, and is cancelled by the next. */
  async #look<T>({ answer, question, conversation, model }: Asked, wish: InspectionWish, result: z.ZodType<T>, abort: AbortController, onProgress?: (progress: { done: number; total: number }) => void): Promise<T> {
    const { documents, messages, models, settings, supervisor, session, line, memories } = this.#parts;
    await line.ended();
    const ignore = line.onAnswer(() => abort.abort());
    try {
      if (abort.signal.aborted) throw cancelled();
      const keeping = await memories.keeping(model.name, null);
      const prompt = buildChatPrompt(conversation, documents, messages.path(question.parentId), question.text);
      const target = modelTarget(models, model, settings.read().kv, (wish.name === 'tile' ? wish.asDecoded : undefined) ?? conversation.policy);
      const request = { kind: 'inspect' as const, prompt, answer: answer.text, keeping, wish };
      return await line.aside(() => session.use(target, { signal: abort.signal }, () => supervisor.run(request, result, { signal: abort.signal, onProgress })));
    } finally {
      ignore();
    }
  }

  #asked(messageId: string): Asked {
    const { conversations, messages, models, settings } = this.#parts;
    const answer = messages.get(messageId);
    if (answer.role !== 'assistant' || answer.parentId === null) throw new HostError('bad-request', 'Only answers can be looked into.', 'Choose an answer.');
    const conversation = conversations.get(answer.conversationId);
    const byName = models.list().find(({ name }) => name === answer.modelName);
    const chosen = conversation.modelId === null ? undefined : models.find(conversation.modelId);
    return { answer, question: messages.get(answer.parentId), conversation, model: byName ?? chosen ?? models.defaultModel(settings.read().defaultModelId) };
  }
}

/** What the answer was decoded by; of its budget only what the chat still says is known. */
function policyOf({ answer, conversation }: Asked): PolicySetting {
  const name = answer.statistics?.policy?.name ?? 'full';
  return conversation.policy?.name === name ? conversation.policy : { ...defaultPolicySetting, name, estimate: policyEstimates[name] };
}

function worthLooking({ answer, conversation }: Asked): boolean {
  return conversation.documentIds.length > 0 && (answer.state === 'complete' || answer.state === 'stopped') && answer.text.trim() !== '';
}
