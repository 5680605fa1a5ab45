/** `--trace FILE`: what every layer did with keys beyond the GPU in every step of the answer, one JSON line each. */
import { closeSync, openSync, writeSync } from 'node:fs';
import { HostError, systemErrorCode } from '../errors.ts';
import type { TracedLayer } from '../gpu-worker/protocol.ts';
import { quoted } from '../wording.ts';

/** Recall and mass are computed on the processor from all far keys, which takes far longer than a step. */
const measureEverySteps = 16;

export interface TraceHooks {
  trace?: { measureEverySteps: number };
  onTrace?(layers: TracedLayer[]): void;
}

/** Without a path the answer is not traced. Throws before anything is read when the file cannot be written. */
export async function withTrace<T>(path: string | undefined, work: (hooks: TraceHooks) => Promise<T>): Promise<T> {
  if (path === undefined) return work({});
  let file: number;
  try {
    file = openSync(path, 'w');
  } catch (error) {
    throw new HostError('file-unreadable', `${quoted(path)} cannot be written (${systemErrorCode(error) ?? String(error)}).`, 'Give --trace another name.', { cause: error });
  }
  try {
    return await work({
      trace: { measureEverySteps },
      onTrace: (layers) => void writeSync(file, layers.map((layer) => `${JSON.stringify(layer)}\n`).join('')),
    });
  } finally {
    closeSync(file);
  }
}
