/** Finds chats by title and text, and passages of documents. Newest first: that needs no look at every match. */
import { z } from 'zod';
import type { SearchResult } from '../contract/chatEntities.ts';
import type { DocumentLibrary } from '../documents/documentLibrary.ts';
import type { Database } from '../storage/database.ts';
import type { DocumentIndex } from './documentIndex.ts';
import { snippetOf } from './snippet.ts';
import { type SearchTerms, searchTerms } from './words.ts';

const titleRow = z.object({ id: z.string(), title: z.string(), updated_at_ms: z.number() });
const messageRow = z.object({ id: z.string(), conversation_id: z.string(), title: z.string(), role: z.enum(['user', 'assistant']), text: z.string(), created_at_ms: z.number() });
const passageRow = z.object({ document_id: z.string(), name: z.string(), first_character: z.number(), end_character: z.number() });

export class Search {
  readonly #database: Database;
  readonly #documents: DocumentLibrary;
  readonly #index: DocumentIndex;

  constructor(database: Database, documents: DocumentLibrary, index: DocumentIndex) {
    this.#database = database;
    this.#documents = documents;
    this.#index = index;
  }

  /** At most `limit` of each kind. */
  async query(query: string, limit: number): Promise<SearchResult> {
    const terms = searchTerms(query);
    if (!terms) return { chats: [], messages: [], documents: [], documentsWaiting: 0 };
    return {
      chats: this.#chats(terms, limit),
      messages: this.#messages(terms, limit),
      documents: await this.#passages(terms, limit),
      documentsWaiting: this.#index.waiting(),
    };
  }

  #chats({ expression }: SearchTerms, limit: number): SearchResult['chats'] {
    const sql = `SELECT id, title, updated_at_ms FROM conversations
      WHERE rowid IN (SELECT rowid FROM title_index WHERE title_index MATCH ? ORDER BY rowid DESC LIMIT ?) ORDER BY updated_at_ms DESC`;
    return this.#database.all(titleRow, sql, expression, limit).map(({ id, title, updated_at_ms: updatedAtMs }) => ({ conversationId: id, title, updatedAtMs }));
  }

  #messages({ expression, shown }: SearchTerms, limit: number): SearchResult['messages'] {
    const sql = `SELECT m.id, m.conversation_id, c.title, m.role, m.text, m.created_at_ms
      FROM (SELECT rowid FROM message_index WHERE message_index MATCH ? ORDER BY rowid DESC LIMIT ?) found
      JOIN messages m ON m.sequence = found.rowid JOIN conversations c ON c.id = m.conversation_id ORDER BY m.sequence DESC`;
    return this.#database.all(messageRow, sql, expression, limit).map((row) => ({
      conversationId: row.conversation_id,
      messageId: row.id,
      title: row.title,
      role: row.role,
      createdAtMs: row.created_at_ms,
      snippet: snippetOf(row.text, shown),
    }));
  }

  async #passages({ expression, shown }: SearchTerms, limit: number): Promise<SearchResult['documents']> {
    const sql = `SELECT p.document_id, d.name, p.first_character, p.end_character
      FROM (SELECT rowid FROM passage_index WHERE passage_index MATCH ? ORDER BY rowid DESC LIMIT ?) found
      JOIN document_passages p ON p.sequence = found.rowid JOIN documents d ON d.id = p.document_id ORDER BY d.added_at_ms DESC, p.sequence`;
    const rows = this.#database.all(passageRow, sql, expression, limit);
    return Promise.all(
      rows.map(async ({ document_id: documentId, name, first_character: start, end_character: end }) => {
        const { text } = await this.#documents.text(documentId, start, end);
        return { documentId, name, start, end, snippet: snippetOf(text, shown) };
      }),
    );
  }
}
