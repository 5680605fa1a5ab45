/** Models that Longleaf knows where to fetch. */
import * as z from 'zod';
import entries from '../../assets/catalogue.json' with { type: 'json' };
import { type CatalogueEntry, catalogueEntry } from '../contract/entities.ts';
import { HostError } from '../errors.ts';

const catalogueFile = z.array(catalogueEntry.extend({ sha256: z.string().regex(/^[0-9a-f]{64}$/) })).min(1);

export function readCatalogue(content: unknown = entries): CatalogueEntry[] {
  const parsed = catalogueFile.safeParse(content);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  throw new HostError(
    'catalogue-invalid',
    `The model catalogue is not valid: ${issue?.path.join('.') ?? ''} ${issue?.message ?? ''}.`,
    'Install Longleaf again; meanwhile a GGUF file can be imported by hand.',
  );
}

export function findInCatalogue(catalogue: readonly CatalogueEntry[], catalogueId: string): CatalogueEntry {
  const found = catalogue.find((entry) => entry.id === catalogueId);
  if (found) return found;
  throw new HostError(
    'model-not-found',
    `The catalogue has no model “${catalogueId}”.`,
    `It has: ${catalogue.map((entry) => entry.id).join(', ')}.`,
  );
}
