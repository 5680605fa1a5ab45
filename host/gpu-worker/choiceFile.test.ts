import { writeFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { AdapterFacts } from '../../engine/device/device.ts';
import { temporaryFolder } from '../testing/temporaryFolder.ts';
import { ChoiceFile } from './choiceFile.ts';

const facts = { name: 'an adapter', driver: '1', features: ['shader-f16'] } as unknown as AdapterFacts;

test('what two processes measured at the same time is there for the next', () => {
  const folder = temporaryFolder();
  const [one, other] = [new ChoiceFile(folder, facts), new ChoiceFile(folder, facts)];
  one.set('rows', 'narrow');
  other.set('tiles', 'wide');
  one.set('attention', 'split');
  // Of the same thing the last one stays.
  other.set('rows', 'wide');
  const next = new ChoiceFile(folder, facts);
  expect(['rows', 'tiles', 'attention'].map((key) => next.get(key))).toEqual(['wide', 'wide', 'split']);
  expect(new ChoiceFile(folder, facts, { boundsChecks: true }).get('rows')).toBeUndefined();
});

test('a damaged file counts as empty and is written anew', () => {
  const folder = temporaryFolder();
  new ChoiceFile(folder, facts).set('rows', 'narrow');
  const [name] = readdirSync(folder);
  writeFileSync(join(folder, name), '{"rows": 7');
  const again = new ChoiceFile(folder, facts);
  expect(again.get('rows')).toBeUndefined();
  again.set('tiles', 'wide');
  expect(new ChoiceFile(folder, facts).get('tiles')).toBe('wide');
});
