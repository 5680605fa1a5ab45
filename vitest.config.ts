import { readFileSync } from 'node:fs';
import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';
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

/** They take longest, which a fresh clone cannot know: begun last, they would leave the other cores with nothing to do. */
const longFiles = ['memoryKills.gpu.test.ts', 'keptReading.gpu.test.ts', 'strayWrites.gpu.test.ts', 'eval.gpu.test.ts', 'host/kills.test.ts', 'readings.test.ts', 'documents.test.ts'];
const isLong = ({ moduleId }: TestSpecification) => longFiles.some((name) => moduleId.endsWith(name));

class LongFilesFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    return [...sorted.filter(isLong), ...sorted.filter((file) => !isLong(file))];
  }
}

export default defineConfig({
  plugins: [wgslAsText, wasmForTests],
  test: {
    sequence: { sequencer: LongFilesFirst },
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
          // One kernel of three parts takes lavapipe's compiler 100 s where it has compiled nothing before.
          testTimeout: 600_000,
          hookTimeout: 120_000,
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
