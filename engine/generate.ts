/**
 * Continues a sequence token by token. The next step is encoded and submitted before the CPU has seen
 * the token it starts from: the id never leaves the GPU between steps, so the GPU does not wait. Where a
 * step itself waits for keys from outside the GPU, it begins when its token is known.
 */
import type { Device } from './device/device.ts';
import { cancelled } from './errors.ts';
import type { Runner } from './runner.ts';
import type { Sampler } from './sampling/sampler.ts';
import type { Sequence } from './sequence.ts';

export interface GenerateOptions {
  maxTokens: number;
  /** Tokens that end an answer; the one that came is not reported. */
  endTokens: ReadonlySet<number>;
  signal?: AbortSignal;
  /** Begins no step before its token was taken: until then the logits that the token was drawn from stay. */
  oneByOne?: boolean;
}

/** A token that was waited for less may have been there for long. */
const leastWaitMs = 1;

/** `end`: an end token came; `length`: maxTokens were made; `context`: the window is full. */
export type GenerateEnd = 'end' | 'length' | 'context';

/**
 * Yields token ids. Needs the logits of the sequence's last token in row 0 (`Sequence.extend`) and a
 * sampler that has begun. The caller may stop iterating at any token; the sequence then holds the
 * tokens it was given. Throws `cancelled` when the signal stops it.
 */
export async function* generateTokens(
  device: Device,
  runner: Runner,
  sequence: Sequence,
  sampler: Sampler,
  { maxTokens, endTokens, signal, oneByOne = false }: GenerateOptions,
): AsyncGenerator<number, GenerateEnd> {
  const choose = (encoder: GPUCommandEncoder): (() => Promise<number[]>) => {
    const pass = encoder.beginComputePass({ label: 'sample' });
    sampler.encode(pass, { logits: runner.logits, token: runner.tokens });
    pass.end();
    const read = sampler.encodeRead(encoder);
    device.gpu.queue.submit([encoder.finish()]);
    return read;
  };
  const { pace } = runner;
  pace?.forget();
  let read = choose(device.gpu.createCommandEncoder())();
  let arrivedMs = 0;
  for (let made = 1; ; made++) {
    const position = sequence.length;
    const full = position >= runner.contextTokens;
    const goesOn = !full && made < maxTokens;
    const start = async (apart = false): Promise<() => Promise<number[]>> => {
      const encoder = await runner.encodeLayers({ rows: 1, position, apart });
      runner.encodeHead(encoder, [0]);
      return choose(encoder);
    };
    let ahead: Promise<number[]> | null = null;
    if (goesOn && !runner.waits && !oneByOne) {
      ahead = (await start(pace ? !pace.begin() : false))();
      // A failure of a step that nobody waits for any more is not news.
      ahead.catch(() => undefined);
    }
    const waitingMs = performance.now();
    const [token] = await read;
    const nowMs = performance.now();
    // One that had been there says nothing, and the first comes of reading.
    if (made > 1 && !runner.waits && !oneByOne) pace?.took(nowMs - waitingMs > leastWaitMs ? nowMs - arrivedMs : null);
    arrivedMs = nowMs;
    if (signal?.aborted) throw cancelled();
    if (endTokens.has(token)) return 'end';
    // The step ahead has stored this token's keys and values; without it the token is not in the cache.
    if (ahead) sequence.append(token);
    yield token;
    if (!goesOn) return full ? 'context' : 'length';
    if (ahead) {
      read = ahead;
      continue;
    }
    const next = await start();
    sequence.append(token);
    read = next();
  }
}
