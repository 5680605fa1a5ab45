/** System prompts and samplings under names, and the file that carries them to another machine. */
import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import * as z from 'zod';
import { type Preset, preset } from '../contract/chatEntities.ts';
import { HostError } from '../errors.ts';
import type { Database } from '../storage/database.ts';
import { quoted } from '../wording.ts';

const presetRow = z.object({ id: z.string(), name: z.string(), system_prompt: z.string(), sampling: z.string().nullable() });
const columns = 'id, name, system_prompt, sampling';
const presetFile = z.object({ format: z.literal('longleaf-presets'), version: z.literal(1), presets: z.array(preset.omit({ id: true })).max(10_000) });

export class PresetStore {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  list(): Preset[] {
    return this.#database
      .all(presetRow, `SELECT ${columns} FROM presets ORDER BY sequence`)
      .map(({ id, name, system_prompt: systemPrompt, sampling }) => preset.parse({ id, name, systemPrompt, sampling: sampling === null ? null : JSON.parse(sampling) }));
  }

  save({ id = randomUUID(), name, systemPrompt, sampling }: Omit<Preset, 'id'> & { id?: string | undefined }): Preset {
    this.#database.run(
      `INSERT INTO presets (id, name, system_prompt, sampling) VALUES (?, ?, ?, ?)
       ON CONFLICT (id) DO UPDATE SET name = excluded.name, system_prompt = excluded.system_prompt, sampling = excluded.sampling`,
      id,
      name,
      systemPrompt,
      sampling && JSON.stringify(sampling),
    );
    return { id, name, systemPrompt, sampling };
  }

  remove(presetId: string): void {
    if (this.#database.run('DELETE FROM presets WHERE id = ?', presetId) > 0) return;
    throw new HostError('preset-not-found', 'This preset no longer exists.', 'Choose another.');
  }

  exported(): { fileName: string; text: string } {
    const presets = this.list().map(({ id: _id, ...rest }) => rest);
    return { fileName: 'longleaf-presets.json', text: `${JSON.stringify({ format: 'longleaf-presets', version: 1, presets }, null, 2)}\n` };
  }

  /** Those that are there already, word for word, are not added again. */
  async importFile(path: string, name: string): Promise<Preset[]> {
    const read = presetFile.safeParse(await readJson(path, name));
    if (!read.success) throw new HostError('import-invalid', `${quoted(name)} holds no presets of Longleaf.`, 'Choose a file that “Export” wrote.');
    const same = (a: Omit<Preset, 'id'>, b: Omit<Preset, 'id'>) => a.name === b.name && a.systemPrompt === b.systemPrompt && JSON.stringify(a.sampling) === JSON.stringify(b.sampling);
    return this.#database.transaction(() => {
      const known = this.list();
      for (const added of read.data.presets) if (!known.some((old) => same(old, added))) known.push(this.save(added));
      return this.list();
    });
  }
}

const mostBytes = 1_000_000_000;

/** @throws `import-invalid`, `file-unreadable`. */
export async function readJson(path: string, name: string): Promise<unknown> {
  const bytes = await readFile(path).catch((cause: unknown) => {
    throw new HostError('file-unreadable', `${quoted(name)} could not be read.`, 'Check that you may read it.', { cause });
  });
  if (bytes.length > mostBytes) throw new HostError('import-invalid', `${quoted(name)} is larger than 1 GB.`, 'Export fewer chats at a time.');
  try {
    return JSON.parse(bytes.toString('utf8'));
  } catch (cause) {
    throw new HostError('import-invalid', `${quoted(name)} is not JSON.`, 'Choose a file that “Export” wrote.', { cause });
  }
}
