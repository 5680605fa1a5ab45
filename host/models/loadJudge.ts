/**
 * The engine's plan comes with kernels, and those with shaders, which a host that runs from its sources cannot load:
 * verdicts are loaded when the first is asked for.
 */
import type { judge } from './verdict.ts';

export async function loadJudge(): Promise<typeof judge> {
  return (await import('./verdict.ts')).judge;
}
