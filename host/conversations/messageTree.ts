/**
 * A conversation is a tree: an edited question and a regenerated answer stand beside the old one, under
 * the same parent. One leaf is active; what is shown is the path from the first question to it.
 */
import { randomUUID } from 'node:crypto';
import * as z from 'zod';
import { type AnswerStatistics, type Failure, type Message, answerStatistics, failure, message } from '../contract/entities.ts';
import { HostError } from '../errors.ts';
import type { Database } from '../storage/database.ts';

const messageRow = z.object({
  id: z.string(),
  conversation_id: z.string(),
  parent_id: z.string().nullable(),
  role: z.string(),
  text: z.string(),
  state: z.string(),
  failure: z.string().nullable(),
  statistics: z.string().nullable(),
  model_name: z.string().nullable(),
  created_at_ms: z.number(),
  sibling_ids: z.string(),
});
const columns = `m.id, m.conversation_id, m.parent_id, m.role, m.text, m.state, m.failure, m.statistics, m.model_name, m.created_at_ms,
  (SELECT json_group_array(id) FROM (SELECT s.id FROM messages s
    WHERE s.conversation_id = m.conversation_id AND s.parent_id IS m.parent_id ORDER BY s.sequence)) AS sibling_ids`;
const leafRow = z.object({ active_leaf_id: z.string().nullable() });
const idRow = z.object({ id: z.string() });

export interface AnswerEnd {
  text: string;
  state: 'complete' | 'stopped' | 'failed' | 'interrupted';
  failure: Failure | null;
  statistics: AnswerStatistics | null;
}

export type PutMessage = Omit<Message, 'conversationId' | 'siblingIndex' | 'siblingIds'>;

export class MessageTree {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  get(messageId: string): Message {
    const row = this.#database.first(messageRow, `SELECT ${columns} FROM messages m WHERE m.id = ?`, messageId);
    if (!row) throw new HostError('message-not-found', 'This message no longer exists.', 'Reload the conversation.');
    return toMessage(row);
  }

  activeLeaf(conversationId: string): string | null {
    return this.#database.first(leafRow, 'SELECT active_leaf_id FROM conversations WHERE id = ?', conversationId)?.active_leaf_id ?? null;
  }

  /** From the first question to `leafId`, in order. */
  path(leafId: string | null): Message[] {
    if (leafId === null) return [];
    return this.#database
      .all(
        messageRow,
        `WITH RECURSIVE up (id, depth) AS (
           SELECT ?, 0 UNION ALL
           SELECT messages.parent_id, up.depth + 1 FROM messages JOIN up ON messages.id = up.id WHERE messages.parent_id IS NOT NULL)
         SELECT ${columns} FROM up JOIN messages m ON m.id = up.id ORDER BY up.depth DESC`,
        leafId,
      )
      .map(toMessage);
  }

  /** All alternatives, parents before children. */
  all(conversationId: string): Message[] {
    return this.#database.all(messageRow, `SELECT ${columns} FROM messages m WHERE m.conversation_id = ? ORDER BY m.sequence`, conversationId).map(toMessage);
  }

  anyOf(messageIds: readonly string[]): boolean {
    const sql = 'SELECT m.id FROM json_each(?) wanted JOIN messages m ON m.id = wanted.value LIMIT 1';
    return this.#database.first(idRow, sql, JSON.stringify(messageIds)) !== undefined;
  }

  /** As they are given, parents before children; within a transaction of the caller's. */
  putAll(conversationId: string, added: readonly PutMessage[], activeLeafId: string | null): void {
    for (const { id, parentId, role, text, state, failure: why, statistics, modelName, createdAtMs } of added) {
      this.#database.run(
        `INSERT INTO messages (id, conversation_id, parent_id, role, text, state, failure, statistics, model_name, created_at_ms)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
        id,
        conversationId,
        parentId,
        role,
        text,
        state,
        why && JSON.stringify(why),
        statistics && JSON.stringify(statistics),
        modelName,
        createdAtMs,
      );
    }
    if (activeLeafId !== null) this.#activate(conversationId, activeLeafId);
  }

  /** A question under `parentId` and the answer that will be written under it, which becomes active. */
  addTurn(conversationId: string, parentId: string | null, text: string, modelName: string): { question: Message; answer: Message } {
    return this.#database.transaction(() => {
      const questionId = this.#insert({ conversationId, parentId, role: 'user', text, state: 'complete', modelName: null });
      const answerId = this.#insertAnswer(conversationId, questionId, modelName);
      this.#activate(conversationId, answerId);
      return { question: this.get(questionId), answer: this.get(answerId) };
    });
  }

  /** Another answer to a question; it becomes active. */
  addAnswer(question: Message, modelName: string): Message {
    return this.#database.transaction(() => {
      const answerId = this.#insertAnswer(question.conversationId, question.id, modelName);
      this.#activate(question.conversationId, answerId);
      return this.get(answerId);
    });
  }

  /** Makes this alternative, and the newest messages below it, the active ones. */
  select(messageId: string): void {
    const { conversationId } = this.get(messageId);
    let leafId = messageId;
    for (;;) {
      const child = this.#database.first(idRow, 'SELECT id FROM messages WHERE parent_id = ? ORDER BY sequence DESC LIMIT 1', leafId);
      if (!child) break;
      leafId = child.id;
    }
    this.#activate(conversationId, leafId);
  }

  saveText(messageId: string, text: string): void {
    this.#database.run('UPDATE messages SET text = ? WHERE id = ?', text, messageId);
  }

  finish(messageId: string, end: AnswerEnd): Message {
    this.#database.run(
      'UPDATE messages SET text = ?, state = ?, failure = ?, statistics = ? WHERE id = ?',
      end.text,
      end.state,
      end.failure ? JSON.stringify(end.failure) : null,
      end.statistics ? JSON.stringify(end.statistics) : null,
      messageId,
    );
    return this.get(messageId);
  }

  /** At start: whatever was streaming when the last host ended, was interrupted. */
  markInterrupted(): number {
    return this.#database.run("UPDATE messages SET state = 'interrupted' WHERE state = 'streaming'");
  }

  #insertAnswer(conversationId: string, questionId: string, modelName: string): string {
    return this.#insert({ conversationId, parentId: questionId, role: 'assistant', text: '', state: 'streaming', modelName });
  }

  #insert(added: Pick<Message, 'conversationId' | 'parentId' | 'role' | 'text' | 'state' | 'modelName'>): string {
    const id = randomUUID();
    this.#database.run(
      'INSERT INTO messages (id, conversation_id, parent_id, role, text, state, model_name, created_at_ms) VALUES (?, ?, ?, ?, ?, ?, ?, ?)',
      id,
      added.conversationId,
      added.parentId,
      added.role,
      added.text,
      added.state,
      added.modelName,
      Date.now(),
    );
    return id;
  }

  #activate(conversationId: string, leafId: string): void {
    this.#database.run('UPDATE conversations SET active_leaf_id = ? WHERE id = ?', leafId, conversationId);
  }
}

function toMessage(row: z.infer<typeof messageRow>): Message {
  const siblingIds = z.array(z.string()).parse(JSON.parse(row.sibling_ids));
  return message.parse({
    id: row.id,
    conversationId: row.conversation_id,
    parentId: row.parent_id,
    role: row.role,
    text: row.text,
    state: row.state,
    failure: row.failure === null ? null : failure.parse(JSON.parse(row.failure)),
    statistics: row.statistics === null ? null : answerStatistics.parse(JSON.parse(row.statistics)),
    modelName: row.model_name,
    createdAtMs: row.created_at_ms,
    siblingIndex: siblingIds.indexOf(row.id),
    siblingIds,
  });
}
