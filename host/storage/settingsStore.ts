/** The person's settings: one row each, so that a new setting is simply absent in an old database. */
import * as z from 'zod';
import { type Settings, defaultSettings, settings as settingsSchema } from '../contract/entities.ts';
import type { Database } from './database.ts';

const fields: Partial<Record<string, z.ZodType>> = settingsSchema.shape;
const settingRow = z.object({ name: z.string(), value: z.string() });

export class SettingsStore {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  read(): Settings {
    const stored: Record<string, unknown> = {};
    for (const { name, value } of this.#database.all(settingRow, 'SELECT name, value FROM settings')) {
      const field = fields[name];
      const read = field?.safeParse(JSON.parse(value));
      // A value that a later version does not understand any more falls back to the default.
      if (read?.success) stored[name] = read.data;
    }
    return settingsSchema.parse({ ...defaultSettings, ...stored });
  }

  update(changes: Partial<Settings>): Settings {
    this.#database.transaction(() => {
      for (const [name, value] of Object.entries(changes)) {
        this.#database.run(
          'INSERT INTO settings (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value',
          name,
          JSON.stringify(value),
        );
      }
    });
    return this.read();
  }
}
