import { expect, test } from 'vitest';
import { collectLicences, unknownLicences } from './licences.mjs';

test('everything that is shipped is under a licence that is known, with its text', () => {
  expect(collectLicences().length).toBeGreaterThan(100);
  expect(unknownLicences()).toEqual([]);
});

test('what only builds and tests is not among them', () => {
  const names = collectLicences().map(({ name }) => name);
  expect(names).toEqual(expect.arrayContaining(['Electron', 'Node.js', 'react', 'webgpu', 'zod']));
  for (const tool of ['typescript', 'vite', 'vitest', 'playwright', 'electron-builder', '@sparticuz/chromium']) expect(names).not.toContain(tool);
});
