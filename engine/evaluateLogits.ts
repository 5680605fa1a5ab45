/** Logits over a forced stream of tokens, for comparison with other implementations. */
import type { Readback } from './device/readback.ts';
import type { Device } from './device/device.ts';
import type { Runner } from './runner.ts';
import { maxTailRows } from './scratch.ts';
import type { Sequence } from './sequence.ts';

export interface LogitsPosition {
  /** The logits after this token of the stream. */
  position: number;
  /** The eight most likely tokens, best first, and their logits. */
  top: number[];
  logits: number[];
  logSumExp: number;
  /** −log p(the stream's next token) in nats; null after the last. */
  next: number | null;
}

export interface ForcedStream {
  tokens: readonly number[];
  positions: readonly number[];
  /** Rows a chunk; null sizes them by time. */
  chunkTokens: number | null;
  /** Tokens after the first asked position are decoded by the policy, one by one. */
  asDecoding?: boolean;
  signal?: AbortSignal;
  onProgress?: (done: number, total: number) => void;
}

/** Reads the whole stream from the start and reports the asked positions in order. */
export async function evaluateLogits(device: Device, runner: Runner, sequence: Sequence, readback: Readback, stream: ForcedStream): Promise<LogitsPosition[]> {
  const wanted = new Set(stream.positions);
  const results: LogitsPosition[] = [];
  sequence.clear();
  // What comes before the first asked position is read exactly in any case.
  const firstAsked = Math.min(...stream.positions);
  if (stream.asDecoding && firstAsked > 0) await sequence.extend(stream.tokens.slice(0, firstAsked), { signal: stream.signal, onProgress: stream.onProgress });
  await sequence.extend(stream.tokens, {
    asDecoding: stream.asDecoding,
    signal: stream.signal,
    onProgress: stream.onProgress,
    chunkTokens: stream.chunkTokens ?? undefined,
    onChunk: async (first, count) => {
      const rows = Array.from({ length: count }, (_, row) => row).filter((row) => wanted.has(first + row));
      for (let i = 0; i < rows.length; i += maxTailRows) {
        const batch = rows.slice(i, i + maxTailRows);
        const encoder = device.gpu.createCommandEncoder();
        runner.encodeHead(encoder, batch);
        device.gpu.queue.submit([encoder.finish()]);
        const size = runner.spec.vocabularySize;
        const logits = await readback.floats(runner.logits, 0, batch.length * size);
        for (const [index, row] of batch.entries()) {
          const position = first + row;
          results.push(summarise(logits.subarray(index * size, (index + 1) * size), position, stream.tokens[position + 1]));
        }
      }
    },
  });
  return results;
}

const topCount = 8;

function summarise(logits: Float32Array, position: number, nextToken: number | undefined): LogitsPosition {
  const top: number[] = [];
  let maximum = -Infinity;
  for (let token = 0; token < logits.length; token++) {
    const value = logits[token];
    if (value > maximum) maximum = value;
    if (top.length === topCount && value <= logits[top[topCount - 1]]) continue;
    let place = top.length;
    while (place > 0 && logits[top[place - 1]] < value) place--;
    top.splice(place, 0, token);
    if (top.length > topCount) top.pop();
  }
  let sum = 0;
  for (const value of logits) sum += Math.exp(value - maximum);
  const logSumExp = maximum + Math.log(sum);
  return {
    position,
    top,
    logits: top.map((token) => logits[token]),
    logSumExp,
    next: nextToken === undefined ? null : logSumExp - logits[nextToken],
  };
}

/** Mean of the positions' −log p, over those that have a next token. */
export function meanNll(positions: readonly LogitsPosition[]): number | null {
  const known = positions.map(({ next }) => next).filter((next) => next !== null);
  return known.length > 0 ? known.reduce((a, b) => a + b, 0) / known.length : null;
}
