/**
 * Compiles WebAssembly programs from AssemblyScript: importing `name.wasm` gives the bytes compiled from the `name.ts`
 * that lies there. For the bundler and the test runner.
 */
import { readFile } from 'node:fs/promises';
import { basename, dirname, resolve } from 'node:path';

/** Memory is imported, shared by threads, and may grow to the four gigabytes that 32-bit addresses reach. */
const options = ['--runtime', 'stub', '--enable', 'simd', '--enable', 'threads', '--importMemory', '--sharedMemory', '--initialMemory', '1', '--maximumMemory', '65536', '-O3', '--noAssert'];

/**
 * @param {string} wasmPath of the file that would be imported
 * @returns {Promise<Uint8Array>}
 */
export async function compileWasm(wasmPath) {
  const { default: asc } = await import('assemblyscript/asc');
  const source = wasmPath.replace(/\.wasm$/, '.ts');
  /** @type {Uint8Array | undefined} */
  let compiled;
  const { error, stderr } = await asc.main([basename(source), '--outFile', 'program.wasm', ...options], {
    readFile: (name, folder) => readFile(resolve(dirname(source), folder, name), 'utf8').catch(() => null),
    writeFile: (name, contents) => {
      if (name === 'program.wasm' && typeof contents !== 'string') compiled = contents;
    },
    listFiles: () => [],
  });
  if (error || !compiled) throw new Error(`${source} does not compile:\n${stderr.toString()}`);
  return compiled;
}

/** @type {import('esbuild').Plugin} */
export const wasmForBundler = {
  name: 'wasm',
  setup(build) {
    build.onResolve({ filter: /\.wasm$/ }, ({ path, resolveDir }) => ({ path: resolve(resolveDir, path), namespace: 'wasm' }));
    build.onLoad({ filter: /.*/, namespace: 'wasm' }, async ({ path }) => ({ contents: await compileWasm(path), loader: 'binary' }));
  },
};

/** @type {import('vite').Plugin} */
export const wasmForTests = {
  name: 'wasm',
  enforce: 'pre',
  resolveId: (id, importer) => (id.endsWith('.wasm') && importer ? resolve(dirname(importer), id) : undefined),
  load: async (id) => {
    if (!id.endsWith('.wasm')) return undefined;
    const base64 = Buffer.from(await compileWasm(id)).toString('base64');
    return `export default Uint8Array.from(atob('${base64}'), (character) => character.charCodeAt(0));`;
  },
};
