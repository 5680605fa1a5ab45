/** Every request that leaves the machine is written down before it leaves. */
import * as z from 'zod';
import type { Database } from './database.ts';

const outboundRequest = z.object({
  sequence: z.number().int(),
  at_ms: z.number().int(),
  purpose: z.string(),
  address: z.string(),
  outcome: z.string().nullable(),
});
export type OutboundRequest = z.infer<typeof outboundRequest>;

export class OutboundLog {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  /** Returns the function that writes down how it ended. */
  begin(purpose: string, address: string): (outcome: string) => void {
    const begun = this.#database.first(
      z.object({ sequence: z.number().int() }),
      'INSERT INTO outbound_requests (at_ms, purpose, address) VALUES (?, ?, ?) RETURNING sequence',
      Date.now(),
      purpose,
      address,
    );
    return (outcome) => {
      this.#database.run('UPDATE outbound_requests SET outcome = ? WHERE sequence = ?', outcome, begun?.sequence ?? -1);
    };
  }

  /** Newest first. */
  list(limit = 500): OutboundRequest[] {
    return this.#database.all(outboundRequest, 'SELECT * FROM outbound_requests ORDER BY sequence DESC LIMIT ?', limit);
  }
}
