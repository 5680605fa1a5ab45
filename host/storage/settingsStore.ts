/** The person's settings: one row each, so that a new setting is simply absent in an old database. */
import { z } from 'zod';
import { type Settings, defaultSettings, settings as settingsSchema } from '../contract/entities.ts';
import type { Database } from './database.ts';

const settingRow = z.object({ name: z.string(), value: z.string() });

export class SettingsStore {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  read(): Settings {
    const stored: Record<string, unknown> = {};
    for (const row of this.#database.all(settingRow, 'SELECT name, value FROM settings')) {
      stored[row.name] = JSON.parse(row.value);
    }
    const merged = settingsSchema.safeParse({ ...defaultSettings, ...stored });
    return merged.success ? merged.data : defaultSettings;
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
