/**
 * `node scripts/sbom.mjs > longleaf.cdx.json`: what people get, as a CycloneDX bill of materials: every package with
 * its version, licence, where npm has it and the checksum that the lock file names.
 */
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { collectLicences } from './licences.mjs';
import { rootFolder } from './paths.mjs';
import { runMain } from './say.mjs';

export function billOfMaterials() {
  const read = (/** @type {string} */ name) => JSON.parse(readFileSync(join(rootFolder, name), 'utf8'));
  const { name, version, description, license } = read('package.json');
  /** @type {Map<string, string>} */
  const checksums = new Map();
  for (const [path, entry] of Object.entries(read('package-lock.json').packages)) {
    const packageName = path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length);
    if (entry.integrity) checksums.set(`${packageName} ${entry.version}`, entry.integrity);
  }
  return {
    bomFormat: 'CycloneDX',
    specVersion: '1.6',
    serialNumber: `urn:uuid:${randomUUID()}`,
    version: 1,
    metadata: { timestamp: new Date().toISOString(), component: { type: 'application', 'bom-ref': name, name, version, description, licenses: [{ license: { id: license } }] } },
    components: collectLicences().map((found) => componentOf(found, checksums.get(`${found.name} ${found.version}`))),
  };
}

/**
 * @param {import('./licences.mjs').Licence} found
 * @param {string | undefined} integrity as npm writes it: `sha512-` and base64
 */
function componentOf({ name, version, licence }, integrity) {
  const address = integrity && `pkg:npm/${name.replace('@', '%40')}@${version}`;
  const [algorithm, digest] = integrity?.split('-', 2) ?? [];
  return {
    type: 'library',
    'bom-ref': address || `${name}@${version}`,
    name,
    version,
    licenses: [{ expression: licence }],
    ...(address && { purl: address }),
    ...(algorithm === 'sha512' && digest && { hashes: [{ alg: 'SHA-512', content: Buffer.from(digest, 'base64').toString('hex') }] }),
  };
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  await runMain(() => {
    process.stdout.write(`${JSON.stringify(billOfMaterials(), null, 2)}\n`);
    return Promise.resolve(0);
  });
}
