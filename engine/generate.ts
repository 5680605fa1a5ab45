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
  /** The step of the row at `position` was submitted; one that counts for nothing is submitted again. */
  onStep?: (position: number) => void;
  /** How long a token was waited for: hardly where the GPU waits for the processor. */
  onWaited?: (waitedMs: number) => void;
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
  { maxTokens, endTokens, signal, oneByOne = false, onStep, onWaited }: GenerateOptions,
): AsyncGenerator<number, GenerateEnd> {
  const { pace } = runner;
  pace?.forget();
  /** By a team, a token that counts for nothing is read as undefined. */
  const choose = (encoder: GPUCommandEncoder, team: boolean): (() => Promise<number | undefined>) => {
    if (team) sampler.encodeSave(encoder);
    const pass = encoder.beginComputePass({ label: 'sample' });
    sampler.encode(pass, { logits: runner.logits, token: runner.tokens });
    pass.end();
    const read = sampler.encodeRead(encoder, 1, team ? runner.late : null);
    device.gpu.queue.submit([encoder.finish()]);
    return async () => (await read())[0];
  };
  const start = async (position: number, team = false): Promise<() => Promise<number | undefined>> => {
    const encoder = await runner.encodeLayers({ rows: 1, position, team });
    runner.encodeHead(encoder, [0]);
    const token = choose(encoder, team);
    onStep?.(position);
    return token;
  };
  /** The last step and, where there was one, the step ahead of it again, kernel by kernel. */
  const again = async (choices: number): Promise<number | undefined> => {
    runner.dismissTeams();
    const position = sequence.length - 1;
    runner.writeTokens([sequence.tokens[position]]);
    const encoder = await runner.encodeLayers({ rows: 1, position });
    sampler.encodeGoBack(encoder, choices);
    runner.encodeHead(encoder, [0]);
    const token = choose(encoder, false)();
    onStep?.(position);
    return token;
  };
  let read = choose(device.gpu.createCommandEncoder(), false)();
  let arrivedMs = 0;
  /** The step that computes what follows the sequence's last token, until it is known to be sound. */
  let unsure: Promise<number | undefined> | null = null;
  try {
    for (let made = 1; ; made++) {
      const position = sequence.length;
      const full = position >= runner.contextTokens;
      const goesOn = !full && made < maxTokens;
      const early = goesOn && !runner.waits && !oneByOne;
      let ahead: Promise<number | undefined> | null = null;
      if (early) {
        ahead = (await start(position, runner.pace?.begin() ?? false))();
        // A failure of a step that nobody waits for any more is not news.
        ahead.catch(() => undefined);
      }
      const waitingMs = performance.now();
      let token = await read;
      const nowMs = performance.now();
      onWaited?.(nowMs - waitingMs);
      // One that had been there says nothing, and the first comes of reading.
      if (made > 1 && !runner.waits && !oneByOne) runner.pace?.took(nowMs - waitingMs > leastWaitMs ? nowMs - arrivedMs : null);
      arrivedMs = nowMs;
      if (token === undefined) {
        await ahead?.catch(() => undefined);
        token = await again(ahead ? 2 : 1);
        if (ahead) ahead = (await start(position))();
      }
      unsure = null;
      if (token === undefined) throw new Error('a step without a team has no late members');
      const ends = signal?.aborted || endTokens.has(token);
      // The step ahead has stored something behind the sequence, in the place of what a ring held.
      if (ends && ahead) sequence.noteOverwritten(position + 1);
      if (signal?.aborted) throw cancelled();
      if (ends) return 'end';
      // The step ahead has stored this token's keys and values; without it the token is not in the cache.
      if (ahead) {
        sequence.append(token);
        unsure = ahead;
      }
      yield token;
      if (!goesOn) return full ? 'context' : 'length';
      if (ahead) {
        read = ahead;
        continue;
      }
      const next = await start(position);
      sequence.append(token);
      read = next();
    }
  } finally {
    // What the last token's step stored may count for nothing, if it was made by a team.
    if (unsure && runner.pace && (await unsure.catch(() => undefined)) === undefined) {
      runner.dismissTeams();
      sequence.dropTo(sequence.length - 1);
    }
  }
}
