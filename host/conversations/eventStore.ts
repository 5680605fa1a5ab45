/** What happened in conversations beside questions and answers, where it happened. */
import { randomUUID } from 'node:crypto';
import * as z from 'zod';
import { type ConversationEvent, conversationEvent, type EventDetails } from '../contract/chatEntities.ts';
import type { Database } from '../storage/database.ts';

const eventRow = z.object({ id: z.string(), conversation_id: z.string(), after_message_id: z.string().nullable(), created_at_ms: z.number(), details: z.string() });

export class EventStore {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  list(conversationId: string): ConversationEvent[] {
    const sql = 'SELECT id, conversation_id, after_message_id, created_at_ms, details FROM conversation_events WHERE conversation_id = ? ORDER BY sequence';
    return this.#database.all(eventRow, sql, conversationId).map((row) =>
      conversationEvent.parse({
        id: row.id,
        conversationId: row.conversation_id,
        afterMessageId: row.after_message_id,
        createdAtMs: row.created_at_ms,
        details: JSON.parse(row.details),
      }),
    );
  }

  add(conversationId: string, afterMessageId: string | null, details: EventDetails): ConversationEvent {
    const event = { id: randomUUID(), conversationId, afterMessageId, createdAtMs: Date.now(), details };
    this.put(event);
    return event;
  }

  put({ id, conversationId, afterMessageId, createdAtMs, details }: ConversationEvent): void {
    this.#database.run(
      'INSERT INTO conversation_events (id, conversation_id, after_message_id, created_at_ms, details) VALUES (?, ?, ?, ?, ?)',
      id,
      conversationId,
      afterMessageId,
      createdAtMs,
      JSON.stringify(details),
    );
  }
}
