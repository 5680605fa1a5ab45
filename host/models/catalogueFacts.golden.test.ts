/** What the catalogue says of its models, against their files. */
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { readGguf } from '../../engine/formats/gguf/readGguf.ts';
import { readCatalogue } from './catalogue.ts';
import { catalogueFacts } from './catalogueFacts.ts';
import { openModelSource } from './openModelSource.ts';

test.each(readCatalogue())('$id', async ({ fileName, facts }) => {
  const source = await openModelSource(join(process.env['LONGLEAF_TEST_MODELS'] ?? '', fileName));
  try {
    expect(catalogueFacts(await readGguf(source))).toEqual(facts);
  } finally {
    await source.close();
  }
});
