/** Conversations in the database. */
import { randomUUID } from 'node:crypto';
import { z } from 'zod';
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
  document_ids: z.string(),
});
const select = `SELECT id, title, created_at_ms, updated_at_ms, model_id, system_prompt, sampling, policy,
  (SELECT json_group_array(document_id) FROM
    (SELECT document_id FROM conversation_documents WHERE conversation_id = conversations.id ORDER BY position)) AS document_ids
  FROM conversations`;

export type ConversationChanges = Partial<Pick<Conversation, 'title' | 'modelId' | 'documentIds' | 'systemPrompt' | 'sampling' | 'policy'>>;
/** Until the first question names it. */
export const untitled = 'New chat';

export class ConversationStore {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  list(): Conversation[] {
    return this.#database.all(conversationRow, `${select} ORDER BY updated_at_ms DESC, rowid DESC`).map(toConversation);
  }

  get(conversationId: string): Conversation {
    const row = this.#database.first(conversationRow, `${select} WHERE id = ?`, conversationId);
    if (!row) throw new HostError('conversation-not-found', 'This conversation no longer exists.', 'Choose or start another.');
    return toConversation(row);
  }

  create(changes: ConversationChanges, defaults: { systemPrompt: string; sampling: Sampling }): Conversation {
    const id = randomUUID();
    const now = Date.now();
    this.#database.transaction(() => {
      this.#database.run(
        `INSERT INTO conversations (id, title, title_is_automatic, created_at_ms, updated_at_ms, model_id, system_prompt, sampling, policy)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
        id,
        changes.title ?? untitled,
        changes.title === undefined ? 1 : 0,
        now,
        now,
        changes.modelId ?? null,
        changes.systemPrompt ?? defaults.systemPrompt,
        JSON.stringify(changes.sampling ?? defaults.sampling),
        policyColumn(changes.policy ?? null),
      );
      this.#setDocuments(id, changes.documentIds ?? []);
    });
    return this.get(id);
  }

  update(conversationId: string, changes: ConversationChanges): Conversation {
    const before = this.get(conversationId);
    const after = { ...before, ...changes };
    this.#database.transaction(() => {
      this.#database.run(
        `UPDATE conversations SET title = ?, title_is_automatic = title_is_automatic AND ?, model_id = ?, system_prompt = ?,
           sampling = ?, policy = ?, updated_at_ms = ? WHERE id = ?`,
        after.title,
        changes.title === undefined ? 1 : 0,
        after.modelId,
        after.systemPrompt,
        JSON.stringify(after.sampling),
        policyColumn(after.policy),
        Date.now(),
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
    this.#database.run('DELETE FROM conversations WHERE id = ?', conversationId);
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
  });
}
