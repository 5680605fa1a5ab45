/** The tables of `longleaf bench`. */
import type { TimelineEntry } from '../../engine/measure/timeline.ts';
import type { BenchResult, LoadingResult, ProfileResult } from '../gpu-worker/protocol.ts';
import type { SpeedSpread, Spread } from './bench.ts';

export interface PeerSummary extends SpeedSpread {
  threads: number;
  backend: string;
}

export function formatLoading({ weightBytes, weightsMs, loadBytesPerSecond, readBytesPerSecond, uploadBytesPerSecond, shareOfSlower }: LoadingResult): string {
  const gigabytes = (bytes: number): string => `${(bytes / 1e9).toFixed(2)} GB`;
  return (
    `  weights of ${gigabytes(weightBytes)} in ${(weightsMs / 1000).toFixed(2)} s, ${gigabytes(loadBytesPerSecond)}/s: ${(100 * shareOfSlower).toFixed(0)} % of the slower of ` +
    `reading the file (${gigabytes(readBytesPerSecond)}/s) and copying to the GPU (${gigabytes(uploadBytesPerSecond)}/s)\n`
  );
}

export function formatRounds(rounds: readonly BenchResult[], speeds: SpeedSpread): string {
  const { prefillTokens, decodeTokens } = rounds[0];
  return (
    `  prefill of ${prefillTokens} tokens  ${speed(speeds.prefillTokensPerSecond, rounds.length)}\n` +
    `  decode of ${decodeTokens} tokens  ${speed(speeds.decodeTokensPerSecond, rounds.length)}\n`
  );
}

export function formatPeer(peer: PeerSummary, ours: SpeedSpread): string {
  const line = (name: string, mine: Spread, theirs: Spread): string =>
    `  ${name.padEnd(8)} ${theirs.median.toFixed(2).padStart(9)} tokens/s (best ${theirs.best.toFixed(2)}); ` +
    `ours is ${(mine.median / theirs.median).toFixed(3)} of it by the medians, ${(mine.best / theirs.best).toFixed(3)} by the bests\n`;
  return (
    `Beside it llama.cpp (${peer.backend}), ${peer.threads} threads\n` +
    line('prefill', ours.prefillTokensPerSecond, peer.prefillTokensPerSecond) +
    line('decode', ours.decodeTokensPerSecond, peer.decodeTokensPerSecond)
  );
}

export function formatProfile({ roofs, phases }: ProfileResult): string {
  const lines = [
    `Measured roofs: ${roofs.copyGigabytesPerSecond.toFixed(1)} GB/s copying on the device, ${roofs.multiplyAddGigaflops.toFixed(1)} GFLOP/s multiplying and adding in registers.`,
    'The share is that of the roof that limits the kernel; what fits a cache can pass 100 % of the memory roof.',
  ];
  for (const { phase, step, wholeStepMs, kernels, timeline } of phases) {
    const sumMs = kernels.reduce((sum, { ms }) => sum + ms, 0);
    lines.push(
      '',
      `${phase === 'reading' ? `Reading ${step.rows} tokens` : 'Decoding a token'} at position ${step.position}: ${wholeStepMs.toFixed(2)} ms a step, ${sumMs.toFixed(2)} ms by kernel`,
      row(['', 'ms', 'of step', 'GFLOP/s', 'GB/s', 'of roof', '']),
      ...kernels.map(({ name, ms, gigaflops, gigabytesPerSecond, limit, roofShare }) =>
        row([name, ms.toFixed(3), percent(ms / sumMs), gigaflops.toFixed(1), gigabytesPerSecond.toFixed(2), percent(roofShare), limit]),
      ),
    );
    if (timeline) lines.push(...formatTimeline(timeline));
  }
  return `${lines.join('\n')}\n`;
}

/** A step by timestamps: what its kernels take, what lies between them, and the longest of each name. */
function formatTimeline(timeline: readonly TimelineEntry[]): string[] {
  const last = timeline.at(-1);
  if (!last) return [];
  const wholeMs = last.startMs + last.ms;
  const busyMs = timeline.reduce((sum, { ms }) => sum + ms, 0);
  const names = [...new Set(timeline.map(({ name }) => name))];
  const share = names.map((name) => {
    const own = timeline.filter((entry) => entry.name === name);
    return row([name, own.reduce((sum, { ms }) => sum + ms, 0).toFixed(3), String(own.length), Math.max(...own.map(({ ms }) => ms)).toFixed(3), '']);
  });
  return [
    `  By timestamps, each kernel in a pass of its own: ${wholeMs.toFixed(2)} ms, ${busyMs.toFixed(2)} ms of it in ${timeline.length} kernels`,
    row(['', 'ms', 'times', 'longest', '']),
    ...share,
  ];
}

function row([name, ms, ...rest]: string[]): string {
  const limit = rest.pop() ?? '';
  return `  ${name.padEnd(20)}${[ms, ...rest].map((cell) => cell.padStart(10)).join('')}  ${limit}`.trimEnd();
}

function percent(share: number): string {
  return `${(100 * share).toFixed(1)} %`;
}

function speed({ median, best }: Spread, rounds: number): string {
  return `${median.toFixed(2).padStart(9)} tokens/s${rounds > 1 ? ` (median of ${rounds}, best ${best.toFixed(2)})` : ''}`;
}
