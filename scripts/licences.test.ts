import { expect, test } from 'vitest';
import { collectLicences, unknownLicences } from './licences.mjs';
import { billOfMaterials } from './sbom.mjs';

test('everything that is shipped is under a licence that is known, with its text', () => {
  expect(collectLicences().length).toBeGreaterThan(100);
  expect(unknownLicences()).toEqual([]);
});

test('what only builds and tests is not among them', () => {
  const names = collectLicences().map(({ name }) => name);
  expect(names).toEqual(expect.arrayContaining(['Electron', 'Node.js', 'react', 'webgpu', 'zod']));
  for (const tool of ['typescript', 'vite', 'vitest', 'playwright', 'electron-builder', '@sparticuz/chromium']) expect(names).not.toContain(tool);
});

test('the bill of materials names each of them once, with its checksum where npm has it', () => {
  const { components } = billOfMaterials();
  expect(components).toHaveLength(collectLicences().length);
  expect(new Set(components.map((component) => component['bom-ref'])).size).toBe(components.length);
  expect(components.find(({ name }) => name === 'react')).toMatchObject({ purl: expect.stringMatching(/^pkg:npm\/react@\d/), hashes: [{ alg: 'SHA-512', content: expect.stringMatching(/^[0-9a-f]{128}$/) }] });
});
