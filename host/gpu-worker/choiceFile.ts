/** Kernel choices that were measured on this adapter, kept between starts in one small JSON file. */
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { createHash } from 'node:crypto';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import * as z from 'zod';
import type { AdapterFacts } from '../../engine/device/device.ts';
import type { ChoiceCache } from '../../engine/layers/linear/linear.ts';

/** Raise it when kernels change, so that old measurements are forgotten. */
const choicesVersion = 2;
const choicesSchema = z.record(z.string(), z.string());

export class ChoiceFile implements ChoiceCache {
  readonly #path: string;
  readonly #choices: Map<string, string>;

  /**
   * One file for each adapter, driver and number of threads, on which teams depend, and for bounds checks in shaders,
   * which cost some kernels more than others; a file that cannot be read counts as empty.
   */
  constructor(folder: string, facts: AdapterFacts, { boundsChecks = false }: { boundsChecks?: boolean } = {}) {
    const measured = [choicesVersion, facts.name, facts.driver, facts.features, availableParallelism(), process.env['LP_NUM_THREADS'] ?? null, ...(boundsChecks ? ['bounds checks'] : [])];
    const scope = createHash('sha256').update(JSON.stringify(measured)).digest('hex');
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    this.#path = join(folder, `kernel-choices-${scope.slice(0, 16)}.json`);
    this.#choices = new Map(Object.entries(readChoices(this.#path)));
  }

  get(key: string): string | undefined {
    return this.#choices.get(key);
  }

  set(key: string, value: string): void {
    // What other processes have measured meanwhile stays.
    for (const [other, chosen] of Object.entries(readChoices(this.#path))) if (!this.#choices.has(other)) this.#choices.set(other, chosen);
    this.#choices.set(key, value);
    const partial = `${this.#path}.${process.pid}`;
    writeFileSync(partial, JSON.stringify(Object.fromEntries(this.#choices)), { mode: 0o600 });
    renameSync(partial, this.#path);
  }
}

function readChoices(path: string): Record<string, string> {
  if (!existsSync(path)) return {};
  try {
    return choicesSchema.parse(JSON.parse(readFileSync(path, 'utf8')));
  } catch {
    return {};
  }
}
