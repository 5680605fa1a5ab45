import type { Plugin as BundlerPlugin } from 'esbuild';
import type { Plugin as TestPlugin } from 'vite';

export function compileWasm(wasmPath: string): Promise<Uint8Array>;
export const wasmForBundler: BundlerPlugin;
export const wasmForTests: TestPlugin;
