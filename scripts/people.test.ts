/** `docs/people.md` says which test shows what a person does: the tests have to be there. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { rootFolder } from './paths.mjs';

const specOf = (name: string) => readFileSync(join(rootFolder, 'e2e', `${name}.spec.ts`), 'utf8');

test('every row of docs/people.md names specs that there are, and one spec its test', () => {
  const rows = readFileSync(join(rootFolder, 'docs', 'people.md'), 'utf8').matchAll(/^\| (?!what \|)(?<what>[^|]+) \| (?<specs>[^|]+) \| (?<title>[^|]+) \|$/gm);
  const named = [...rows].map(({ groups }) => ({ title: '', specs: '', ...groups }));
  expect(named.length).toBeGreaterThan(30);
  const missing = named.filter(({ title, specs }) => {
    const texts = [...specs.matchAll(/`([^`]+)`/g)].map(([, name]) => specOf(name));
    return texts.length === 1 ? !texts[0].includes(`test('${title}'`) : texts.length === 0;
  });
  expect(missing).toEqual([]);
});
