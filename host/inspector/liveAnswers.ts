/** What answers attend to while they are written: told at once, kept with the answer until its evidence is computed. */
import { deflateSync, inflateSync } from 'node:zlib';
import * as z from 'zod';
import { type LiveAttention, liveAttention, type LiveRows, type LiveView } from '../contract/liveAttention.ts';
import type { HostEvents } from '../events.ts';
import type { Database } from '../storage/database.ts';

const row = z.object({ document_ids: z.string(), attention: z.instanceof(Uint8Array) });

interface Growing {
  view: LiveView;
  /** By token: zones by group, and bytes of the blocks by document. */
  tokens: { zones: LiveRows['zones'][number]; blocks: Buffer[] }[];
}

export class LiveAnswers {
  readonly #database: Database;
  readonly #events: HostEvents;
  /** Those that are being written, by message. */
  readonly #growing = new Map<string, Growing>();

  constructor(database: Database, events: HostEvents) {
    this.#database = database;
    this.#events = events;
  }

  add(messageId: string, { view, rows }: { view: LiveView | null; rows: LiveRows }): void {
    if (view) this.#growing.set(messageId, { view, tokens: [] });
    const growing = this.#growing.get(messageId);
    if (!growing) return;
    const blocks = rows.blocks.map((base64) => Buffer.from(base64, 'base64'));
    for (const [i, zones] of rows.zones.entries()) {
      const share = (bytes: Buffer): Buffer => bytes.subarray((i * bytes.length) / rows.zones.length, ((i + 1) * bytes.length) / rows.zones.length);
      growing.tokens[rows.first + i] = { zones, blocks: blocks.map(share) };
    }
    this.#events.emit('answer.attention', { messageId, view, rows });
  }

  /** The answer has ended: what was told of it is kept, if it `lasts`. */
  end(messageId: string, documentIds: readonly string[], lasts: boolean): void {
    const live = this.#told(messageId);
    this.#growing.delete(messageId);
    if (!live || !lasts) return;
    this.#database.run('INSERT OR REPLACE INTO answer_attention (message_id, document_ids, attention) VALUES (?, ?, ?)', messageId, JSON.stringify(documentIds), deflateSync(JSON.stringify(live)));
  }

  /** null where nothing was recorded, or for other documents, or by another version. */
  find(messageId: string, documentIds: readonly string[]): LiveAttention | null {
    const growing = this.#told(messageId);
    if (growing) return growing;
    const found = this.#database.first(row, 'SELECT document_ids, attention FROM answer_attention WHERE message_id = ?', messageId);
    if (!found || found.document_ids !== JSON.stringify(documentIds)) return null;
    return liveAttention.safeParse(JSON.parse(inflateSync(found.attention).toString('utf8'))).data ?? null;
  }

  /** Something better is there. */
  forget(messageId: string): void {
    this.#database.run('DELETE FROM answer_attention WHERE message_id = ?', messageId);
  }

  #told(messageId: string): LiveAttention | null {
    const growing = this.#growing.get(messageId);
    if (!growing) return null;
    const { view, tokens } = growing;
    const blocks = view.documents.map((_, document) => Buffer.concat(tokens.map((token) => token.blocks[document])).toString('base64'));
    return { view, rows: { first: 0, zones: tokens.map(({ zones }) => zones), blocks } };
  }
}
