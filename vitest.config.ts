import { readFileSync } from 'node:fs';
import { defineConfig } from 'vitest/config';
import { wasmForTests } from './scripts/wasm.mjs';

/** Loads `*.wgsl` as a string, as the bundler does. */
const wgslAsText = {
  name: 'wgsl-as-text',
  enforce: 'pre' as const,
  load(id: string) {
    if (!id.endsWith('.wgsl')) return undefined;
    return `export default ${JSON.stringify(readFileSync(id, 'utf8'))};`;
  },
};

export default defineConfig({
  plugins: [wgslAsText, wasmForTests],
  test: {
    // `unit` needs nothing but Node; `gpu` needs a WebGPU adapter (software is enough);
    // `golden` needs the two real models.
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          include: ['{engine,host,renderer,electron,bench,scripts}/**/*.test.{ts,tsx}'],
          exclude: ['**/*.gpu.test.ts', '**/*.golden.test.ts', 'node_modules/**'],
          testTimeout: 30_000,
        },
      },
      {
        extends: true,
        test: {
          name: 'gpu',
          include: ['{engine,host,bench}/**/*.gpu.test.ts'],
          testTimeout: 180_000,
          hookTimeout: 60_000,
          pool: 'forks',
        },
      },
      {
        extends: true,
        test: {
          name: 'golden',
          include: ['{engine,host,bench}/**/*.golden.test.ts'],
          testTimeout: 900_000,
          hookTimeout: 120_000,
          fileParallelism: false,
          pool: 'forks',
        },
      },
    ],
  },
});
