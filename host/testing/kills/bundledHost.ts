/** The host as one file, which starts several times sooner than its sources. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

/** Host and parser beside each other, as the build lays them; returns the host's entry. */
export async function bundleHost(root: string): Promise<string> {
  const outdir = join(root, 'dist');
  const entryPoint = (path: string) => fileURLToPath(new URL(path, import.meta.url));
  await build({
    entryPoints: { host: entryPoint('../../main.ts'), 'document-parser': entryPoint('../../documents/parser/main.ts') },
    outdir,
    bundle: true,
    platform: 'node',
    format: 'esm',
    external: ['webgpu', 'usearch', 'node-llama-cpp', '*.node'],
    loader: { '.wgsl': 'text', '.wasm': 'binary' },
    logLevel: 'error',
    banner: { js: "import { createRequire as requireFor } from 'node:module';\nconst require = requireFor(import.meta.url);" },
  });
  writeFileSync(join(root, 'package.json'), JSON.stringify({ version: '0.0.0', type: 'module' }));
  return join(outdir, 'host.js');
}
