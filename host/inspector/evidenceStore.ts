/** What answers attended to, in the database. */
import { deflateSync, inflateSync } from 'node:zlib';
import * as z from 'zod';
import { type AnswerEvidence, answerEvidence } from '../contract/inspection.ts';
import type { Database } from '../storage/database.ts';

const row = z.object({ document_ids: z.string(), evidence: z.instanceof(Uint8Array) });

export class EvidenceStore {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  /** undefined for what was not looked at, for other documents, or by another version. */
  find(messageId: string, documentIds: readonly string[]): AnswerEvidence | undefined {
    const found = this.#database.first(row, 'SELECT document_ids, evidence FROM answer_evidence WHERE message_id = ?', messageId);
    if (!found || found.document_ids !== JSON.stringify(documentIds)) return undefined;
    const read = answerEvidence.safeParse(JSON.parse(inflateSync(found.evidence).toString('utf8')));
    return read.success ? read.data : undefined;
  }

  save(messageId: string, documentIds: readonly string[], evidence: AnswerEvidence): void {
    this.#database.run('INSERT OR REPLACE INTO answer_evidence (message_id, document_ids, evidence) VALUES (?, ?, ?)', messageId, JSON.stringify(documentIds), deflateSync(JSON.stringify(evidence)));
  }
}
