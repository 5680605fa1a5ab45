/** Conversations in the database. */
import { randomUUID } from 'node:crypto';
import * as z from 'zod';
import { untitledChat } from '../contract/conversation.ts';
import { type Conversation, type Sampling, conversation, sampling } from '../contract/entities.ts';
import { policySetting } from '../contract/policy.ts';
import { HostError } from '../errors.ts';
import type { Database } from '../storage/database.ts';

const conversationRow = z.object({
  id: z.string(),
  title: z.string(),
  created_at_ms: z.number(),
  updated_at_ms: z.number(),
  model_id: z.string().nullable(),
  system_prompt: z.string(),
  sampling: z.string(),
  policy: z.string().nullable(),
  folder_id: z.string().nullable(),
  pinned: z.number(),
  document_ids: z.string(),
});
const select = `SELECT id, title, created_at_ms, updated_at_ms, model_id, system_prompt, sampling, policy, folder_id, pinned,
  (SELECT json_group_array(document_id) FROM
    (SELECT document_id FROM conversation_documents WHERE conversation_id = conversations.id ORDER BY position)) AS document_ids
  FROM conversations`;

export type ConversationChanges = Partial<Pick<Conversation, 'title' | 'modelId' | 'documentIds' | 'systemPrompt' | 'sampling' | 'policy' | 'folderId' | 'pinned'>>;
export interface ConversationPage {
  folderId: string | null;
  before: { updatedAtMs: number; id: string } | null;
  limit: number;
}

export class ConversationStore {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  /** Newest first, `limit` of those after `before`: of a folder, or (null) of those in none that are not pinned. */
  page({ folderId, before, limit }: ConversationPage): { conversations: Conversation[]; more: boolean } {
    const after = before ? 'AND (updated_at_ms, id) < (?, ?)' : '';
    const sql = `${select} WHERE folder_id IS ? AND pinned = 0 ${after} ORDER BY updated_at_ms DESC, id DESC LIMIT ?`;
    const found = this.#database.all(conversationRow, sql, folderId, ...(before ? [before.updatedAtMs, before.id] : []), limit + 1);
    const pinned = folderId === null && !before ? this.#database.all(conversationRow, `${select} WHERE pinned = 1 ORDER BY updated_at_ms DESC, id DESC`) : [];
    return { conversations: [...pinned, ...found.slice(0, limit)].map(toConversation), more: found.length > limit };
  }

  /** All of them, oldest first. */
  ids(): string[] {
    return this.#database.all(z.object({ id: z.string() }), 'SELECT id FROM conversations ORDER BY created_at_ms, rowid').map(({ id }) => id);
  }

  titles(): string[] {
    return this.#database.all(z.object({ title: z.string() }), 'SELECT DISTINCT title FROM conversations').map(({ title }) => title);
  }

  any(): boolean {
    return this.#database.first(z.object({ id: z.string() }), 'SELECT id FROM conversations LIMIT 1') !== undefined;
  }

  find(conversationId: string): Conversation | undefined {
    const row = this.#database.first(conversationRow, `${select} WHERE id = ?`, conversationId);
    return row && toConversation(row);
  }

  get(conversationId: string): Conversation {
    const found = this.find(conversationId);
    if (!found) throw new HostError('conversation-not-found', 'This conversation no longer exists.', 'Choose or start another.');
    return found;
  }

  create(changes: ConversationChanges, defaults: { systemPrompt: string; sampling: Sampling }): Conversation {
    const id = randomUUID();
    const now = Date.now();
    this.#database.transaction(() =>
      this.put({
        id,
        title: changes.title ?? untitledChat,
        titleIsAutomatic: changes.title === undefined,
        createdAtMs: now,
        updatedAtMs: now,
        modelId: changes.modelId ?? null,
        documentIds: changes.documentIds ?? [],
        systemPrompt: changes.systemPrompt ?? defaults.systemPrompt,
        sampling: changes.sampling ?? defaults.sampling,
        policy: changes.policy ?? null,
        folderId: changes.folderId ?? null,
        pinned: changes.pinned ?? false,
      }),
    );
    return this.get(id);
  }

  /** As it is given; within a transaction of the caller's. */
  put(added: Conversation & { titleIsAutomatic: boolean }): void {
    this.#database.run(
      `INSERT INTO conversations (id, title, title_is_automatic, created_at_ms, updated_at_ms, model_id, system_prompt, sampling, policy, folder_id, pinned)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      added.id,
      added.title,
      added.titleIsAutomatic ? 1 : 0,
      added.createdAtMs,
      added.updatedAtMs,
      added.modelId,
      added.systemPrompt,
      JSON.stringify(added.sampling),
      policyColumn(added.policy),
      this.#folder(added.folderId),
      added.pinned ? 1 : 0,
    );
    this.#setDocuments(added.id, added.documentIds);
  }

  titleIsAutomatic(conversationId: string): boolean {
    return this.#database.first(z.object({ title_is_automatic: z.number() }), 'SELECT title_is_automatic FROM conversations WHERE id = ?', conversationId)?.title_is_automatic === 1;
  }

  update(conversationId: string, changes: ConversationChanges): Conversation {
    const before = this.get(conversationId);
    const after = { ...before, ...changes };
    this.#database.transaction(() => {
      this.#database.run(
        `UPDATE conversations SET title = ?, title_is_automatic = title_is_automatic AND ?, model_id = ?, system_prompt = ?,
           sampling = ?, policy = ?, folder_id = ?, pinned = ?, updated_at_ms = ? WHERE id = ?`,
        after.title,
        changes.title === undefined ? 1 : 0,
        after.modelId,
        after.systemPrompt,
        JSON.stringify(after.sampling),
        policyColumn(after.policy),
        this.#folder(after.folderId),
        after.pinned ? 1 : 0,
        // Where a chat is kept says nothing about when it was used.
        onlyMoves(changes) ? before.updatedAtMs : Date.now(),
        conversationId,
      );
      if (changes.documentIds) this.#setDocuments(conversationId, changes.documentIds);
    });
    return this.get(conversationId);
  }

  /** Uses the first question as the title, unless a person chose one. */
  titleFromQuestion(conversationId: string, title: string): void {
    this.#database.run(
      'UPDATE conversations SET title = ?, title_is_automatic = 0 WHERE id = ? AND title_is_automatic = 1',
      title,
      conversationId,
    );
  }

  touch(conversationId: string): Conversation {
    this.#database.run('UPDATE conversations SET updated_at_ms = ? WHERE id = ?', Date.now(), conversationId);
    return this.get(conversationId);
  }

  withDocument(documentId: string): string[] {
    return this.#database
      .all(z.object({ id: z.string() }), 'SELECT conversation_id AS id FROM conversation_documents WHERE document_id = ?', documentId)
      .map((row) => row.id);
  }

  withModel(modelId: string): string[] {
    return this.#database.all(z.object({ id: z.string() }), 'SELECT id FROM conversations WHERE model_id = ?', modelId).map((row) => row.id);
  }

  remove(conversationId: string): void {
    this.get(conversationId);
    this.#database.transaction(() => {
      // Message by message down the tree, SQLite would come to its limit of levels in a long chat.
      this.#database.run('UPDATE messages SET parent_id = NULL WHERE conversation_id = ?', conversationId);
      this.#database.run('DELETE FROM conversations WHERE id = ?', conversationId);
    });
  }

  /** One that was removed meanwhile is none. */
  #folder(folderId: string | null): string | null {
    return this.#database.first(z.object({ id: z.string() }), 'SELECT id FROM folders WHERE id = ?', folderId)?.id ?? null;
  }

  #setDocuments(conversationId: string, documentIds: readonly string[]): void {
    this.#database.run('DELETE FROM conversation_documents WHERE conversation_id = ?', conversationId);
    for (const [position, documentId] of [...new Set(documentIds)].entries()) {
      const added = this.#database.run(
        'INSERT INTO conversation_documents (conversation_id, document_id, position) SELECT ?, id, ? FROM documents WHERE id = ?',
        conversationId,
        position,
        documentId,
      );
      if (added === 0) throw new HostError('document-not-found', 'This document is no longer in the library.', 'Add it again.');
    }
  }
}

function onlyMoves(changes: ConversationChanges): boolean {
  return Object.keys(changes).every((name) => name === 'folderId' || name === 'pinned');
}

function policyColumn(policy: Conversation['policy']): string | null {
  return policy === null ? null : JSON.stringify(policy);
}

/** A policy that this version does not know is the default, not a chat that cannot be opened. */
function readPolicy(column: string | null): Conversation['policy'] {
  const read = column === null ? null : policySetting.safeParse(JSON.parse(column));
  return read?.success ? read.data : null;
}

function toConversation(row: z.infer<typeof conversationRow>): Conversation {
  return conversation.parse({
    id: row.id,
    title: row.title,
    createdAtMs: row.created_at_ms,
    updatedAtMs: row.updated_at_ms,
    modelId: row.model_id,
    documentIds: JSON.parse(row.document_ids),
    systemPrompt: row.system_prompt,
    sampling: sampling.parse(JSON.parse(row.sampling)),
    policy: readPolicy(row.policy),
    folderId: row.folder_id,
    pinned: row.pinned === 1,
  });
}
