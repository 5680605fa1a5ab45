/**
 * Finds chats by title and text, and passages of documents. Newest first, which needs no look at every match; words
 * themselves before words that begin with them, because beginnings have to be gathered.
 */
import * as z from 'zod';
import type { SearchResult } from '../contract/chatEntities.ts';
import type { DocumentLibrary } from '../documents/documentLibrary.ts';
import type { Database } from '../storage/database.ts';
import type { DocumentIndex } from './documentIndex.ts';
import { snippetOf } from './snippet.ts';
import { type SearchTerms, searchTerms } from './words.ts';

const rowidRow = z.object({ rowid: z.number() });
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

  #rows(index: 'title_index' | 'message_index' | 'passage_index', { expressions }: SearchTerms, limit: number): string {
    const found = new Set<number>();
    for (const expression of expressions) {
      if (found.size >= limit) break;
      const sql = `SELECT rowid FROM ${index} WHERE ${index} MATCH ? ORDER BY rowid DESC LIMIT ?`;
      for (const { rowid } of this.#database.all(rowidRow, sql, expression, limit)) if (found.size < limit) found.add(rowid);
    }
    return JSON.stringify([...found]);
  }

  #chats(terms: SearchTerms, limit: number): SearchResult['chats'] {
    const sql = `SELECT c.id, c.title, c.updated_at_ms FROM json_each(?) found JOIN conversations c ON c.rowid = found.value ORDER BY c.updated_at_ms DESC`;
    return this.#database.all(titleRow, sql, this.#rows('title_index', terms, limit)).map(({ id, title, updated_at_ms: updatedAtMs }) => ({ conversationId: id, title, updatedAtMs }));
  }

  #messages(terms: SearchTerms, limit: number): SearchResult['messages'] {
    const sql = `SELECT m.id, m.conversation_id, c.title, m.role, m.text, m.created_at_ms
      FROM json_each(?) found JOIN messages m ON m.sequence = found.value JOIN conversations c ON c.id = m.conversation_id ORDER BY m.sequence DESC`;
    return this.#database.all(messageRow, sql, this.#rows('message_index', terms, limit)).map((row) => ({
      conversationId: row.conversation_id,
      messageId: row.id,
      title: row.title,
      role: row.role,
      createdAtMs: row.created_at_ms,
      snippet: snippetOf(row.text, terms.shown),
    }));
  }

  async #passages(terms: SearchTerms, limit: number): Promise<SearchResult['documents']> {
    const sql = `SELECT p.document_id, d.name, p.first_character, p.end_character
      FROM json_each(?) found JOIN document_passages p ON p.sequence = found.value JOIN documents d ON d.id = p.document_id ORDER BY d.added_at_ms DESC, p.sequence`;
    const rows = this.#database.all(passageRow, sql, this.#rows('passage_index', terms, limit));
    return Promise.all(
      rows.map(async ({ document_id: documentId, name, first_character: start, end_character: end }) => {
        const { text } = await this.#documents.text(documentId, start, end);
        return { documentId, name, start, end, snippet: snippetOf(text, terms.shown) };
      }),
    );
  }
}
